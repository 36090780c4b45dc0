"""Moving dead letters, step by step: what is sent and what is deleted."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.ops.cloud import order
from tools.ops.deadletters import Letter, Message, drain, message_of, read, read_all
from tools.ops.redrive import Outcome, redrive
from tools.ops.sending import Pace
from tools.ops.stack import Stack
from tools.terminal import Printer

URLS = {name: f"https://sqs/{name}" for name in ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl")}
DEAD = URLS["deadLetterQueueUrl"]


class Sqs:
    """Queues in memory: what is received is hidden until it is deleted or released, and every request is noted."""

    def __init__(self, dead: list[str]) -> None:
        self.visible = {DEAD: dict(enumerate(dead)), URLS["queueUrl"]: {}}
        self.hidden: dict[int, str] = {}
        self.log: list[str] = []
        self.refuse: Callable[[str], bool] = lambda _body: False

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        counts = {"ApproximateNumberOfMessages": len(self.visible[QueueUrl])}
        counts |= {"ApproximateNumberOfMessagesNotVisible": len(self.hidden), "ApproximateNumberOfMessagesDelayed": 0}
        return {"Attributes": {"QueueArn": "arn:dead", **{name: str(count) for name, count in counts.items()}}}

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        taken = dict(list(self.visible[QueueUrl].items())[:MaxNumberOfMessages])
        for key, body in taken.items():
            self.hidden[key] = self.visible[QueueUrl].pop(key) or body
        return {"Messages": [{"MessageId": f"m{k}", "ReceiptHandle": str(k), "Body": b} for k, b in taken.items()]}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.log.append(f"send {len(Entries)}")
        failed = [entry["Id"] for entry in Entries if self.refuse(entry["MessageBody"])]
        for entry in Entries:
            if entry["Id"] not in failed:
                target = self.visible[QueueUrl]
                target[1000 + len(target)] = entry["MessageBody"]
        return {"Failed": [{"Id": i, "Code": "TooLong", "Message": "too long", "SenderFault": True} for i in failed]}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.log.append(f"delete {len(Entries)}")
        for entry in Entries:
            del self.hidden[int(entry["ReceiptHandle"])]
        return {}

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:  # noqa: N803
        for entry in Entries:
            assert entry["VisibilityTimeout"] == 0
            key = int(entry["ReceiptHandle"])
            self.visible[QueueUrl][key] = self.hidden.pop(key)


def stack(sqs: Sqs) -> Stack:
    return Stack(origin="test", outputs=URLS, make_client=lambda _service: sqs)


def remembered(sqs: Sqs) -> list[Letter]:
    return [message.letter for message in read_all(stack(sqs), ["queue"])]


def letters(count: int) -> list[str]:
    return [json.dumps(order()) for _ in range(count)]


def test_reading_leaves_every_message_visible() -> None:
    sqs = Sqs(letters(25))
    seen: list[Message] = []
    assert read(stack(sqs), "queue", seen.extend) == len(seen) == 25
    assert (len(sqs.visible[DEAD]), sqs.hidden) == (25, {})


def test_no_more_than_the_limit_is_looked_at() -> None:
    sqs, seen = Sqs(letters(25)), list[Message]()
    assert read(stack(sqs), "queue", seen.extend, limit=12) == len(seen) == 12
    assert (len(sqs.visible[DEAD]), sqs.hidden) == (25, {})


def redriven(sqs: Sqs) -> Outcome:
    return redrive(stack(sqs), remembered(sqs), printer=Printer(), wait=0)


def test_a_message_is_sent_before_it_is_deleted() -> None:
    bodies = ["x"] * 12
    sqs = Sqs(bodies)
    assert redriven(sqs).moved == 12
    assert sqs.log == ["send 10", "delete 10", "send 2", "delete 2"]
    assert list(sqs.visible[URLS["queueUrl"]].values()) == bodies


def test_what_sns_added_is_not_sent_and_what_a_sender_added_is() -> None:
    attributes = {name: {"StringValue": "x"} for name in ("RequestID", "ErrorCode", "ErrorMessage", "colour")}
    received = {"MessageId": "m", "Body": "x", "MessageAttributes": attributes}
    assert message_of("topic", received).without_sns().entry()["MessageAttributes"].keys() == {"colour"}
    assert message_of("queue", received).without_sns().entry()["MessageAttributes"] == attributes


def test_a_message_that_the_queue_refuses_stays_a_dead_letter() -> None:
    sqs = Sqs(["a", "b", "c"])
    sqs.refuse = lambda body: body == "b"
    outcome = redriven(sqs)
    assert list(sqs.visible[DEAD].values()) == ["b"]
    assert (outcome.moved, outcome.failed, outcome.proved, sqs.hidden) == (2, ["m1: TooLong: too long"], False, {})


def test_a_redrive_that_fails_midway_says_how_many_were_sent() -> None:
    sqs, errors = Sqs(letters(25)), io.StringIO()

    def refuse(_body: str) -> bool:
        if "delete 10" in sqs.log:
            raise ClientError({"Error": {"Code": "ExpiredToken", "Message": ""}}, "SendMessageBatch")
        return False

    sqs.refuse = refuse
    plan = remembered(sqs)
    with pytest.raises(ClientError):
        redrive(stack(sqs), plan, printer=Printer(errors=errors))
    assert errors.getvalue() == "sent 10 of 25 messages back before it ended\n"
    assert (len(sqs.visible[DEAD]), sqs.hidden) == (15, {})


def test_a_message_that_comes_meanwhile_is_not_moved() -> None:
    sqs = Sqs(letters(2))

    def use(ours: list[Any]) -> list[Any]:
        sqs.visible[DEAD][77] = "failed again, under a new id"
        return ours

    assert drain(stack(sqs), "queue", {"m0", "m1"}, use, pace=Pace(None)) == 2
    assert list(sqs.visible[DEAD].values()) == ["failed again, under a new id"]
