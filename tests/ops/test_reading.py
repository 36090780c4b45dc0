"""Looking into the dead-letter queues: whatever is in them is found, and told as it is."""

import io
import json

from tests.ops.cloud import QUEUE, Command, item, order, send, visible, wait_for
from tools.cloud.deployment import Deployment
from tools.ops import trace
from tools.terminal import Printer

BASE = order(orderId="I-found")
UNREADABLE = {
    "number": json.dumps({**BASE, "orderId": 727}),
    "twice": json.dumps(BASE)[:-1] + ', "status": "paid"}',
    "NaN": json.dumps(BASE)[:-1] + ', "a": NaN}',
    "long": json.dumps(BASE)[:-1] + ', "a": ' + "9" * 5000 + "}",
    "deep": json.dumps(BASE)[:-1] + ', "a": ' + "[" * 50_000 + "]" * 50_000 + "}",
    "mark": "\ufeff" + json.dumps(BASE),
    "list": json.dumps([BASE]),
    "double": json.dumps(json.dumps(BASE)),
    "event": json.dumps({"detail-type": "OrderPlaced", "detail": BASE}),
    "cut": json.dumps(BASE)[:-20],
}
"""Bodies whose order the function cannot read, though a person can."""


def test_an_order_is_found_in_letters_that_cannot_be_read(letters: Deployment, operate: Command) -> None:
    send(letters, QUEUE, *UNREADABLE.values(), order(orderId="I-found-2"))
    for wanted, count in (("I-found", len(UNREADABLE) - 1), ("I-foun", 0)):
        traced = operate("trace", wanted, "--json").json()
        assert (len(traced["deadLetters"]), traced["unreadable"]) == (count, len(UNREADABLE) - count)
    assert len(operate("dlq", "show", "727", "--json").json()) == 1
    assert operate("dlq", "export", "-", "--order", "727").out.count("\n") == 1
    told = io.StringIO()
    trace.show({**traced, "level": "INFO"}, 60, Printer(out=told))
    assert f"no dead letter whose order can be read is of it; {len(UNREADABLE)} others" in told.getvalue()
    assert "level INFO names no message that went well" in told.getvalue()


def test_a_body_is_shown_as_it_came(letters: Deployment, operate: Command) -> None:
    exact = json.dumps(BASE)[:-1] + ', "amount": 0.12345678901234567890, "tiny": 1e-400,\n "amount": 19.90}'
    send(letters, QUEUE, exact)
    assert exact in operate("dlq", "show", "I-found").out


def test_what_another_reader_holds_is_told_and_status_1(letters: Deployment, operate: Command) -> None:
    send(letters, QUEUE, *(order() for _ in range(5)))
    sqs, url = letters.client("sqs"), letters.outputs[QUEUE]
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=5, VisibilityTimeout=60)
    for verb in (["list"], ["redrive", "--all", "--yes"], ["export", "-"], ["purge", "--yes"]):
        done = operate("dlq", *verb)
        assert (done.status, "about 5 messages more are held by another reader" in done.err) == (1, True), verb


def test_a_list_tells_what_each_message_would_change(letters: Deployment, operate: Command) -> None:
    known = order()
    send(letters, "queueUrl", known)
    wait_for(lambda: item(letters, known["orderId"]), "storing the order")
    newer = {**known, "status": "paid", "timestamp": "2025-05-04T12:00:00Z"}
    send(letters, QUEUE, known, newer, order(), order(quantity=True))
    listed = operate("dlq", "list", "--json").json()
    assert [message["state"] for message in listed] == ["stored", "newer", "missing", "rejected"]
    assert listed[3]["reason"] == "quantity must be an integer from 1 to 9007199254740991, got a boolean"
    assert visible(letters, QUEUE) == 4


def test_a_message_cannot_act_on_the_terminal(letters: Deployment, operate: Command) -> None:
    hostile = order(orderId="\x1b[2J\u202eO1", itemName="\x9b31m[bold]x[/]")
    send(letters, QUEUE, json.dumps(hostile, ensure_ascii=True), json.dumps(order(userId="")), note="\u202eevil")
    for verb in (["list"], ["show", hostile["orderId"]]):
        shown = operate("dlq", *verb).out
        assert r"\x1b[2J\u202eO1" in shown
        assert not {"\x1b", "\u202e", "\x9b"} & set(shown)
