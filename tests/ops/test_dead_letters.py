"""The dead-letter commands on a real local cloud: what an outage leaves behind is found, sent back and proved."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.ops.cloud import QUEUE, TOPIC, Command, hurried, item, order, send, visible, wait_for
from tests.unit.test_terminal import Terminal, plain
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import depth, messages_in
from tools.live.outage import Outage
from tools.live.pipeline import Pipeline
from tools.ops import redrive
from tools.ops.deadletters import message_of
from tools.ops.stack import connect
from tools.root import ROOT
from tools.terminal import Printer


def dead(deployment: Deployment) -> set[str]:
    """The orders in the dead-letter queue, hidden ones included."""
    return {json.loads(message["Body"])["orderId"] for message in messages_in(deployment, QUEUE)}


def signalled(deployment: Deployment, outputs: Path, number: int) -> tuple[int, str]:
    """How a redrive of 20 dead letters ends that gets a signal when it has sent the first of them, and what it says."""
    line = [sys.executable, "-m", "tools", "dlq", "redrive", "--yes", "--rate", "5", "--outputs", str(outputs)]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: 0 < depth(deployment, QUEUE) < 20, "the first orders moving")
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    return process.returncode, told


def test_a_redrive_is_proved_after_an_outage_and_not_while_it_lasts(
    letters: Deployment, outputs: Path, operate: Command, tmp_path: Path
) -> None:
    saved, smoke = str(tmp_path / "orders.jsonl"), str(tmp_path / "smoke.jsonl")
    with Outage(Pipeline(connect(stack=None, outputs=str(outputs)))) as outage, hurried(letters):
        outage.start(60)
        assert operate("publish", "--generate", "12", "--save", saved).status == 0
        ids = [json.loads(line)["orderId"] for line in Path(saved).read_text().splitlines()]
        wait_for(lambda: depth(letters, QUEUE) == 12, "all orders becoming dead letters")
        early = operate("dlq", "redrive", "--yes", "--wait", "1s", "--json")
        assert (early.status, early.json()["moved"], sorted(early.json()["lacking"])) == (1, 12, sorted(ids))
        wait_for(lambda: visible(letters, QUEUE) == 12, "the orders becoming dead letters again")
    troubled = operate("status")
    assert troubled.status == 1
    assert "OrderQueue-dlq holds 12 messages" in troubled.out
    assert "AccessDenied" in operate("dlq", "show", ids[0]).out
    traced = operate("trace", ids[0])
    assert traced.status == 1
    assert re.search(r"`dlq redrive --id \w{8}` sends it back", traced.out)
    assert "message failed" in traced.out

    assert operate("publish", "--generate", "2", "--save", smoke).status == 0
    for file, options, status in ((smoke, ["--orders-only"], 0), (smoke, [], 1), (saved, ["--orders-only"], 1)):
        shown = operate("verify", file, *options, "--wait", "1s")
        assert (shown.status, "OrderQueue-dlq 12, OrderTopic-dlq empty; `dlq list` " in shown.out) == (status, True)

    done = operate("dlq", "redrive", "--yes")
    assert done.status == 0
    assert "sent 12 of 12 messages back" in done.out
    assert "proved: all 12 orders are in the table" in done.out
    assert depth(letters, QUEUE) == 0
    assert all(item(letters, order_id) for order_id in ids)


def test_a_redrive_that_is_killed_loses_nothing(letters: Deployment, outputs: Path, operate: Command) -> None:
    orders = [order() for _ in range(20)]
    send(letters, QUEUE, *orders)
    assert signalled(letters, outputs, signal.SIGKILL)[0] == -signal.SIGKILL
    sent = {each["orderId"] for each in orders} - dead(letters)
    wait_for(lambda: all(item(letters, each) for each in sent), "storing what had left the dead-letter queue")
    again = operate("dlq", "redrive", "--yes", "--json")
    hidden = dead(letters)
    assert len(hidden) <= 10  # what the killed one held shows again when its time is up
    assert (again.status, again.json()["held"]) == ((1, len(hidden)) if hidden else (0, 0))
    assert all(item(letters, each["orderId"]) for each in orders if each["orderId"] not in hidden)


def test_a_signal_ends_a_redrive_cleanly_and_says_how_many_were_sent(letters: Deployment, outputs: Path) -> None:
    send(letters, QUEUE, *(order() for _ in range(20)))
    status, told = signalled(letters, outputs, signal.SIGHUP)
    left = depth(letters, QUEUE)
    assert (status, visible(letters, QUEUE)) == (130, left)
    assert f"sent {20 - left} of 20 messages back before it ended" in told
    assert "Traceback" not in told


def test_what_the_function_would_reject_again_stays_unless_asked_for(letters: Deployment, operate: Command) -> None:
    send(letters, QUEUE, order(), order(quantity=0), "not json")
    done = operate("dlq", "redrive", "--yes")
    assert done.status == 0
    assert "left where they are: 2 that the function would reject again" in done.out
    assert visible(letters, QUEUE) == 2
    assert "plan: send 2 messages back" in operate("dlq", "redrive", "--all").out


def test_the_topics_dead_letters_are_sent_to_the_queue(letters: Deployment, operate: Command) -> None:
    plain, wrapped = order(), order()
    send(letters, TOPIC, plain, {"Type": "Notification", "Message": json.dumps(wrapped)}, ErrorMessage="no key")
    send(letters, QUEUE, order(), ErrorMessage="a sender cannot speak for SNS")
    listed = operate("dlq", "list", "--from", "topic", "--json").json()
    assert [letter["reason"] for letter in listed] == ["", ""]
    told = operate("dlq", "list").out
    assert told.count("SNS could not deliver it (no key)") == 2
    assert (told.count("it was not stored, and the log says why"), "speak for SNS" in told) == (1, False)
    assert operate("dlq", "redrive", "--yes").status == 0
    assert item(letters, plain["orderId"])
    assert item(letters, wrapped["orderId"])
    assert depth(letters, TOPIC) == 0


def test_only_what_is_chosen_is_moved_or_deleted(letters: Deployment, operate: Command) -> None:
    chosen, phone, test, other = order(), order(itemName="Phone"), order(userId="test-1"), order()
    send(letters, QUEUE, chosen, phone, other, other, test)
    [*_, second, third, _] = [m["messageId"] for m in operate("dlq", "list", "--json").json()]
    for choice in (["--order", chosen["orderId"]], ["--match", '"itemName": "Ph']):
        assert operate("dlq", "redrive", *choice, "--yes").status == 0
    assert item(letters, chosen["orderId"])
    assert item(letters, phone["orderId"])
    assert operate("dlq", "purge", "--id", second[:8], "--yes", "--json").json()["deleted"] == 1
    done = operate("dlq", "purge", "--match", "test-", "--yes", "--json")
    assert (done.status, done.json()["deleted"], done.json()["ordersLacking"]) == (0, 1, 1)
    assert [m["messageId"] for m in operate("dlq", "list", "--json").json()] == [third]
    assert visible(letters, QUEUE) == 1


def test_trace_advises_only_what_can_be_done(letters: Deployment, operate: Command, tmp_path: Path) -> None:
    orders = {
        verb: order(orderId=f"O 1; '{verb}' {time.time()}", quantity=0 if verb == "export" else 1)
        for verb in ("redrive", "export", "purge")
    }
    send(letters, "queueUrl", orders["purge"])
    wait_for(lambda: item(letters, orders["purge"]["orderId"]), "storing the order")
    send(letters, QUEUE, *orders.values())
    for verb, letter in orders.items():
        told = operate("trace", letter["orderId"]).out
        [advised] = re.findall(r"shows it, `(dlq [^`]+)`", told)
        words = [str(tmp_path / "saved.jsonl") if word == "FILE" else word for word in shlex.split(advised)]
        assert words[1:3] == [verb, "--id"]
        done = operate(*words, *(["--yes"] if verb != "export" else []))
        assert done.status == 0
        assert re.search(r"^(sent|exported|deleted) 1 ", done.out, re.MULTILINE)


def test_nothing_moves_without_yes(letters: Deployment, operate: Command) -> None:
    send(letters, QUEUE, *(order() for _ in range(25)))
    for verb in ("redrive", "purge"):
        tried = operate("dlq", verb)
        assert (tried.status, "... and 5 more" in tried.out) == (2, True)
        assert visible(letters, QUEUE) == 25


def test_an_export_can_be_imported(letters: Deployment, operate: Command, tmp_path: Path) -> None:
    file, good = str(tmp_path / "letters.jsonl"), order()
    send(letters, QUEUE, good, "not json", colour="blue")
    assert operate("dlq", "export", file).status == 0
    assert operate("dlq", "purge", "--yes").status == 0
    assert depth(letters, QUEUE) == 0
    refused = operate("dlq", "import", file)
    assert (refused.status, "1 of 2 messages will be rejected" in refused.err) == (2, True)
    assert operate("dlq", "import", file, "--no-check", "--to", "queue").status == 0
    before = [json.loads(line) for line in Path(file).read_text().splitlines()]
    after = [json.loads(line) for line in operate("dlq", "export", "-").out.splitlines()]
    kept = ("body", "attributes", "orderId", "reason")
    assert [[m[k] for k in kept] for m in after] == [[m[k] for k in kept] for m in before]
    assert after[0]["attributes"]["colour"]["StringValue"] == "blue"
    Path(file).write_text(json.dumps(before[0]))
    assert operate("dlq", "import", file).status == 0
    wait_for(lambda: item(letters, good["orderId"]), "storing the imported order")


def test_a_purge_of_an_export_deletes_only_what_it_holds(letters: Deployment, operate: Command, tmp_path: Path) -> None:
    file, later = str(tmp_path / "letters.jsonl"), order()
    send(letters, QUEUE, *(order() for _ in range(12)))
    assert operate("dlq", "export", file).status == 0
    send(letters, QUEUE, later)
    tried = operate("dlq", "purge", "--exported", file)
    assert (tried.status, "plan: delete 12 messages" in tried.out) == (2, True)
    partly = operate("dlq", "purge", "--exported", file, "--limit", "5", "--yes")
    assert (partly.status, "deleted 5 messages" in partly.out) == (1, True)
    done = operate("dlq", "purge", "--exported", file, "--yes")
    assert (done.status, "deleted 7 messages" in done.out) == (0, True)
    assert "5 messages of" in done.out
    assert dead(letters) == {later["orderId"]}


def test_a_proof_that_takes_long_says_what_it_waits_for(outputs: Path) -> None:
    lacking, errors = order(), Terminal()
    stack = connect(stack=None, outputs=str(outputs))
    waiting = message_of("queue", {"MessageId": "m", "Body": json.dumps(lacking)}).letter
    assert redrive.prove(stack, [waiting], seconds=0.5, printer=Printer(errors=errors)) == {lacking["orderId"]}
    assert re.search(r"0/1 .* in flight; all tries take \d+ s at most", " ".join(plain(errors)))
