"""The dead-letter commands on a real local cloud: what an outage leaves behind is found, sent back and proved."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ops.cloud import QUEUE, TOPIC, Command, Letters, hurried, item, order, send, visible, wait_for
from tests.unit.test_terminal import Terminal, plain
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import depth, messages_in
from tools.ops import redrive
from tools.ops.deadletters import message_of
from tools.ops.stack import connect
from tools.root import ROOT
from tools.terminal import Printer


@contextmanager
def outage(deployment: Deployment) -> Iterator[None]:
    """While it lasts, the function may write nothing: its role has lost the table's actions."""
    iam = deployment.client("iam")
    [role] = [r["RoleName"] for r in iam.list_roles()["Roles"] if "ProcessOrder" in r["RoleName"]]
    [name] = [each for each in iam.list_role_policies(RoleName=role)["PolicyNames"] if "permissions" in each]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    kept = [s for s in document["Statement"] if "dynamodb" not in json.dumps(s)]
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps({**document, "Statement": kept}))
    try:
        with hurried(deployment):
            yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def dead(deployment: Deployment) -> set[str]:
    """The orders in the dead-letter queue, hidden ones included."""
    return {json.loads(message["Body"])["orderId"] for message in messages_in(deployment, QUEUE)}


def signalled(path: str, deployment: Deployment, number: int) -> tuple[int, str]:
    """How a redrive of 20 dead letters ends that gets a signal when it has sent the first of them, and what it says."""
    line = [sys.executable, "-m", "tools", "dlq", "redrive", "--yes", "--rate", "5", "--outputs", path]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: 0 < depth(deployment, QUEUE) < 20, "the first orders moving")
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    return process.returncode, told


def test_a_redrive_is_proved_after_an_outage_and_not_while_it_lasts(letters: Letters, command: Command) -> None:
    deployment, path = letters
    saved = str(Path(path).with_name("orders.jsonl"))
    with outage(deployment):
        assert command("publish", "--generate", "12", "--save", saved, "--outputs", path).status == 0
        ids = [json.loads(line)["orderId"] for line in Path(saved).read_text().splitlines()]
        wait_for(lambda: depth(deployment, QUEUE) == 12, "all orders becoming dead letters")
        early = command("dlq", "redrive", "--yes", "--wait", "1s", "--json", "--outputs", path)
        assert (early.status, early.json()["moved"], sorted(early.json()["lacking"])) == (1, 12, sorted(ids))
        wait_for(lambda: visible(deployment, QUEUE) == 12, "the orders becoming dead letters again")
    troubled = command("status", "--outputs", path)
    assert troubled.status == 1
    assert "OrderQueue-dlq holds 12 messages" in troubled.out
    assert "AccessDenied" in command("dlq", "show", ids[0], "--outputs", path).out
    traced = command("trace", ids[0], "--outputs", path)
    assert traced.status == 1
    assert re.search(r"`dlq redrive --id \w{8}` sends it back", traced.out)
    assert "message failed" in traced.out

    smoke = str(Path(path).with_name("smoke.jsonl"))
    assert command("publish", "--generate", "2", "--save", smoke, "--outputs", path).status == 0
    for file, options, status in ((smoke, ["--orders-only"], 0), (smoke, [], 1), (saved, ["--orders-only"], 1)):
        shown = command("verify", file, *options, "--wait", "1s", "--outputs", path)
        assert (shown.status, "OrderQueue-dlq 12, OrderTopic-dlq empty; `dlq list` " in shown.out) == (status, True)

    done = command("dlq", "redrive", "--yes", "--outputs", path)
    assert done.status == 0
    assert "sent 12 of 12 messages back" in done.out
    assert "proved: all 12 orders are in the table" in done.out
    assert depth(deployment, QUEUE) == 0
    assert all(item(deployment, order_id) for order_id in ids)
    verdict = command("verify", saved, "--since", "1s", "--json", "--outputs", path).json()
    assert [check["ok"] for check in verdict["checks"] if check["name"] != "log"] == [True, True]


def test_a_redrive_that_is_killed_loses_nothing(letters: Letters, command: Command) -> None:
    deployment, path = letters
    orders = [order() for _ in range(20)]
    send(deployment, QUEUE, *orders)
    assert signalled(path, deployment, signal.SIGKILL)[0] == -signal.SIGKILL
    sent = {each["orderId"] for each in orders} - dead(deployment)
    wait_for(lambda: all(item(deployment, each) for each in sent), "storing what had left the dead-letter queue")
    again = command("dlq", "redrive", "--yes", "--json", "--outputs", path)
    hidden = dead(deployment)
    assert len(hidden) <= 10  # what the killed one held shows again when its time is up
    assert (again.status, again.json()["held"]) == ((1, len(hidden)) if hidden else (0, 0))
    assert all(item(deployment, each["orderId"]) for each in orders if each["orderId"] not in hidden)


def test_a_signal_ends_a_redrive_cleanly_and_says_how_many_were_sent(letters: Letters) -> None:
    deployment, path = letters
    send(deployment, QUEUE, *(order() for _ in range(20)))
    status, told = signalled(path, deployment, signal.SIGHUP)
    left = depth(deployment, QUEUE)
    assert (status, visible(deployment, QUEUE)) == (130, left)
    assert f"sent {20 - left} of 20 messages back before it ended" in told
    assert "Traceback" not in told


def test_what_the_function_would_reject_again_stays_unless_asked_for(letters: Letters, command: Command) -> None:
    deployment, path = letters
    send(deployment, QUEUE, order(), order(quantity=0), "not json")
    done = command("dlq", "redrive", "--yes", "--outputs", path)
    assert done.status == 0
    assert "left where they are: 2 that the function would reject again" in done.out
    assert visible(deployment, QUEUE) == 2
    assert "plan: send 2 messages back" in command("dlq", "redrive", "--all", "--outputs", path).out


def test_the_topics_dead_letters_are_sent_to_the_queue(letters: Letters, command: Command) -> None:
    deployment, path = letters
    plain, wrapped = order(), order()
    send(deployment, TOPIC, plain, {"Type": "Notification", "Message": json.dumps(wrapped)}, ErrorMessage="no key")
    send(deployment, QUEUE, order(), ErrorMessage="a sender cannot speak for SNS")
    listed = command("dlq", "list", "--from", "topic", "--json", "--outputs", path).json()
    assert [letter["reason"] for letter in listed] == ["", ""]
    told = command("dlq", "list", "--outputs", path).out
    assert told.count("SNS could not deliver it (no key)") == 2
    assert (told.count("it was not stored, and the log says why"), "speak for SNS" in told) == (1, False)
    assert command("dlq", "redrive", "--yes", "--outputs", path).status == 0
    assert item(deployment, plain["orderId"])
    assert item(deployment, wrapped["orderId"])
    assert depth(deployment, TOPIC) == 0


def test_only_what_is_chosen_is_moved_or_deleted(letters: Letters, command: Command) -> None:
    deployment, path = letters
    chosen, phone, test, other = order(), order(itemName="Phone"), order(userId="test-1"), order()
    send(deployment, QUEUE, chosen, phone, other, other, test)
    [*_, second, third, _] = [m["messageId"] for m in command("dlq", "list", "--json", "--outputs", path).json()]
    for choice in (["--order", chosen["orderId"]], ["--match", '"itemName": "Ph']):
        assert command("dlq", "redrive", *choice, "--yes", "--outputs", path).status == 0
    assert item(deployment, chosen["orderId"])
    assert item(deployment, phone["orderId"])
    assert command("dlq", "purge", "--id", second[:8], "--yes", "--json", "--outputs", path).json()["deleted"] == 1
    done = command("dlq", "purge", "--match", "test-", "--yes", "--json", "--outputs", path)
    assert (done.status, done.json()["deleted"], done.json()["ordersLacking"]) == (0, 1, 1)
    assert [m["messageId"] for m in command("dlq", "list", "--json", "--outputs", path).json()] == [third]
    assert visible(deployment, QUEUE) == 1


def test_trace_advises_only_what_can_be_done(letters: Letters, command: Command, tmp_path: Path) -> None:
    deployment, path = letters
    dead = {
        verb: order(orderId=f"O 1; '{verb}' {time.time()}", quantity=0 if verb == "export" else 1)
        for verb in ("redrive", "export", "purge")
    }
    send(deployment, "queueUrl", dead["purge"])
    wait_for(lambda: item(deployment, dead["purge"]["orderId"]), "storing the order")
    send(deployment, QUEUE, *dead.values())
    for verb, letter in dead.items():
        told = command("trace", letter["orderId"], "--outputs", path).out
        [advised] = re.findall(r"shows it, `(dlq [^`]+)`", told)
        words = [str(tmp_path / "saved.jsonl") if word == "FILE" else word for word in shlex.split(advised)]
        assert words[1:3] == [verb, "--id"]
        done = command(*words, *(["--yes"] if verb != "export" else []), "--outputs", path)
        assert done.status == 0
        assert re.search(r"^(sent|exported|deleted) 1 ", done.out, re.MULTILINE)


def test_nothing_moves_without_yes(letters: Letters, command: Command) -> None:
    deployment, path = letters
    send(deployment, QUEUE, *(order() for _ in range(25)))
    for verb in ("redrive", "purge"):
        tried = command("dlq", verb, "--outputs", path)
        assert (tried.status, "... and 5 more" in tried.out) == (2, True)
        assert visible(deployment, QUEUE) == 25


def test_an_export_can_be_imported(letters: Letters, command: Command, tmp_path: Path) -> None:
    deployment, path = letters
    file, good = str(tmp_path / "letters.jsonl"), order()
    send(deployment, QUEUE, good, "not json", colour="blue")
    assert command("dlq", "export", file, "--outputs", path).status == 0
    assert command("dlq", "purge", "--yes", "--outputs", path).status == 0
    assert depth(deployment, QUEUE) == 0
    refused = command("dlq", "import", file, "--outputs", path)
    assert (refused.status, "1 of 2 messages will be rejected" in refused.err) == (2, True)
    assert command("dlq", "import", file, "--no-check", "--to", "queue", "--outputs", path).status == 0
    before = [json.loads(line) for line in Path(file).read_text().splitlines()]
    after = [json.loads(line) for line in command("dlq", "export", "-", "--outputs", path).out.splitlines()]
    kept = ("body", "attributes", "orderId", "reason")
    assert [[m[k] for k in kept] for m in after] == [[m[k] for k in kept] for m in before]
    assert after[0]["attributes"]["colour"]["StringValue"] == "blue"
    Path(file).write_text(json.dumps(before[0]))
    assert command("dlq", "import", file, "--outputs", path).status == 0
    wait_for(lambda: item(deployment, good["orderId"]), "storing the imported order")


def test_a_purge_of_an_export_deletes_only_what_it_holds(letters: Letters, command: Command, tmp_path: Path) -> None:
    deployment, path = letters
    file, later = str(tmp_path / "letters.jsonl"), order()
    send(deployment, QUEUE, *(order() for _ in range(12)))
    assert command("dlq", "export", file, "--outputs", path).status == 0
    send(deployment, QUEUE, later)
    tried = command("dlq", "purge", "--exported", file, "--outputs", path)
    assert (tried.status, "plan: delete 12 messages" in tried.out) == (2, True)
    partly = command("dlq", "purge", "--exported", file, "--limit", "5", "--yes", "--outputs", path)
    assert (partly.status, "deleted 5 messages" in partly.out) == (1, True)
    done = command("dlq", "purge", "--exported", file, "--yes", "--outputs", path)
    assert (done.status, "deleted 7 messages" in done.out) == (0, True)
    assert "5 messages of" in done.out
    assert dead(deployment) == {later["orderId"]}


def test_a_proof_that_takes_long_says_what_it_waits_for(outputs: Path) -> None:
    lacking, errors = order(), Terminal()
    stack = connect(stack=None, outputs=str(outputs))
    waiting = message_of("queue", {"MessageId": "m", "Body": json.dumps(lacking)}).letter
    assert redrive.prove(stack, [waiting], seconds=0.5, printer=Printer(errors=errors)) == {lacking["orderId"]}
    assert re.search(r"0/1 .* in flight; all tries take \d+ s at most", " ".join(plain(errors)))
