"""Looking into the dead-letter queues: whatever is in them is found, and told as it is."""

import json

import pytest

from tests.ops.cloud import QUEUE, Command, Own, item, order, send, visible, wait_for


def test_a_sender_cannot_speak_for_sns(letters: Own, command: Command) -> None:
    deployment, path = letters
    send(deployment, QUEUE, order(), ErrorMessage="the key is disabled")
    listed = command("dlq", "list", "--outputs", path).out
    assert "it was not stored, and the log says why" in listed
    assert "SNS" not in listed


BASE = order(orderId="I-found")
UNREADABLE = {
    "number": json.dumps({**BASE, "orderId": 727}),
    "twice": json.dumps(BASE)[:-1] + ', "status": "paid"}',
    "NaN": json.dumps(BASE)[:-1] + ', "a": NaN}',
    "long": json.dumps(BASE)[:-1] + ', "a": ' + "9" * 5000 + "}",
    "deep": json.dumps(BASE)[:-1] + ', "a": ' + "[" * 6000 + "]" * 6000 + "}",
    "mark": "\ufeff" + json.dumps(BASE),
    "list": json.dumps([BASE]),
    "double": json.dumps(json.dumps(BASE)),
    "event": json.dumps({"detail-type": "OrderPlaced", "detail": BASE}),
    "cut": json.dumps(BASE)[:-20],
}
"""Bodies whose order the function cannot read, though a person can."""


def test_an_order_is_found_in_letters_that_cannot_be_read(letters: Own, command: Command) -> None:
    deployment, path = letters
    send(deployment, QUEUE, *UNREADABLE.values(), order(orderId="I-found-2"))
    for wanted, count in (("I-found", len(UNREADABLE) - 1), ("727", 1), ("I-foun", 0)):
        traced = command("trace", wanted, "--json", "--outputs", path).json()
        assert (len(traced["deadLetters"]), traced["unreadable"]) == (count, len(UNREADABLE) - count)
    assert len(command("dlq", "show", "727", "--json", "--outputs", path).json()) == 1
    assert command("dlq", "export", "-", "--order", "727", "--outputs", path).out.count("\n") == 1
    told = command("trace", "I-foun", "--outputs", path).out
    assert f"no dead letter whose order can be read is of it; {len(UNREADABLE)} others" in told
    assert "level INFO names no message that went well" in told


def test_a_body_is_shown_as_it_came(letters: Own, command: Command) -> None:
    exact = json.dumps(BASE)[:-1] + ', "amount": 0.12345678901234567890, "tiny": 1e-400,\n "amount": 19.90}'
    send(letters[0], QUEUE, exact)
    assert exact in command("dlq", "show", "I-found", "--outputs", letters[1]).out


HOLDING = [["list"], ["redrive", "--all", "--yes"], ["export", "-"], ["purge", "--yes"]]


@pytest.mark.parametrize("verb", HOLDING, ids=" ".join)
def test_what_another_reader_holds_is_told_and_status_1(letters: Own, command: Command, verb: list[str]) -> None:
    deployment, path = letters
    send(deployment, QUEUE, *(order() for _ in range(5)))
    sqs, url = deployment.client("sqs"), deployment.outputs[QUEUE]
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=5, VisibilityTimeout=60)
    done = command("dlq", *verb, "--outputs", path)
    assert (done.status, "about 5 messages more are held by another reader" in done.err) == (1, True)


def test_a_list_tells_what_each_message_would_change(letters: Own, command: Command) -> None:
    deployment, path = letters
    known = order()
    send(deployment, "queueUrl", known)
    wait_for(lambda: item(deployment, known["orderId"]), "storing the order")
    newer = {**known, "status": "paid", "timestamp": "2025-05-04T12:00:00Z"}
    send(deployment, QUEUE, known, newer, order(), order(quantity=True))
    listed = command("dlq", "list", "--json", "--outputs", path).json()
    assert [message["state"] for message in listed] == ["stored", "newer", "missing", "rejected"]
    assert listed[3]["reason"] == "quantity must be an integer from 1 to 9007199254740991, got a boolean"
    assert visible(deployment, QUEUE) == 4


def test_a_message_cannot_act_on_the_terminal(letters: Own, command: Command) -> None:
    deployment, path = letters
    hostile = order(orderId="\x1b[2J\u202eO1", itemName="\x9b31m[bold]x[/]")
    send(deployment, QUEUE, json.dumps(hostile, ensure_ascii=True), json.dumps(order(userId="")), note="\u202eevil")
    for verb in (["list"], ["show", hostile["orderId"]], ["redrive", "--dry-run"], ["purge"]):
        shown = command("dlq", *verb, "--outputs", path).out
        assert r"\x1b[2J\u202eO1" in shown
        assert not {"\x1b", "\u202e", "\x9b"} & set(shown)
