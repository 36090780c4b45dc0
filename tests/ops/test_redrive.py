"""Moving dead letters, step by step: what is sent and what is deleted."""

from tests.ops.queues import Queue, stack_of
from tools.ops.deadletters import Message, drain, message_of, read_all
from tools.ops.redrive import Outcome, redrive
from tools.ops.sending import Pace
from tools.terminal import Printer


def redriven(queue: Queue) -> Outcome:
    plan = [message.letter for message in read_all(stack_of(queue), ["queue"])]
    return redrive(stack_of(queue), plan, printer=Printer(), wait=0)


def test_a_message_is_sent_before_it_is_deleted() -> None:
    queue = Queue(messages=12, body=str)
    assert redriven(queue).moved == 12
    assert queue.log == ["send 10", "delete 10", "send 2", "delete 2"]
    assert queue.sent == [str(number) for number in range(12)]


def test_what_sns_added_is_not_sent_and_what_a_sender_added_is() -> None:
    attributes = {name: {"StringValue": "x"} for name in ("RequestID", "ErrorCode", "ErrorMessage", "colour")}
    received = {"MessageId": "m", "Body": "x", "MessageAttributes": attributes}
    assert message_of("topic", received).without_sns().entry()["MessageAttributes"].keys() == {"colour"}
    assert message_of("queue", received).without_sns().entry()["MessageAttributes"] == attributes


def test_a_message_that_the_queue_refuses_stays_a_dead_letter() -> None:
    queue = Queue(messages=3, body=str)
    queue.refused = "1"
    outcome = redriven(queue)
    assert queue.log == ["send 3", "delete 2"]  # what is the sender's fault is not tried again
    assert (queue.visible, queue.hidden, queue.sent) == ([1], 0, ["0", "2"])
    assert (outcome.moved, outcome.failed, outcome.proved) == (2, ["1: TooLong: too long"], False)


def test_a_message_that_comes_meanwhile_is_not_moved() -> None:
    queue = Queue(messages=2)

    def use(ours: list[Message]) -> list[Message]:
        queue.add()
        return ours

    assert drain(stack_of(queue), "queue", {"0", "1"}, use, pace=Pace(None)) == 2
    assert queue.visible == [2]
