"""What a local cloud begins with: orders of a file, and what was published on the clouds before it."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.cloud.cloud import running_cloud
from tools.cloud.emulator import REMEMBER
from tools.live.beginning import begin, earlier, orders_of
from tools.ops.failure import Failure
from tools.ops.stack import Stack
from tools.root import ROOT
from tools.terminal import Printer

SEEDS = ROOT / "docs/examples/orders.jsonl"
COLOUR = {"colour": {"DataType": "String", "StringValue": "blue"}, "size": {"DataType": "Number", "StringValue": "7"}}


@contextlib.contextmanager
def remembering(memory: Path) -> Iterator[tuple[Stack, Callable[[], list[str]]]]:
    """A topic on a cloud that remembers what is published, and what a queue got of it."""
    with running_cloud(region="eu-west-1", variables={REMEMBER: str(memory)}) as cloud:
        sns, sqs = cloud.client("sns"), cloud.client("sqs")
        topics = {name: sns.create_topic(Name=name)["TopicArn"] for name in ("OrderTopic", "alarms")}
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        arn = f"arn:aws:sqs:{cloud.region}:{cloud.account}:q"
        allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        for topic in topics.values():
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})

        def received() -> list[str]:
            [queues] = cloud.own("/_ministack/sqs/messages", timeout=20)["messages"][cloud.account].values()
            return sorted(message["Body"] for message in queues[url])

        outputs = {"topicArn": topics["OrderTopic"], "alarmTopicArn": topics["alarms"]}
        yield Stack(origin="a test", outputs=outputs, make_client=cloud.client), received


def test_a_restart_publishes_again_what_anybody_published(tmp_path: Path) -> None:
    memory, told, seeds = tmp_path / "build/published.jsonl", io.StringIO(), orders_of(str(SEEDS))
    assert earlier(memory) == []
    with remembering(memory) as (stack, received):
        begin(stack, Printer(out=told), remembered=[], seeds=seeds)
        sns = stack.client("sns")
        sns.publish(TopicArn=stack["topicArn"], Message="anybody's", MessageAttributes=COLOUR)
        sns.publish(TopicArn=stack["alarmTopicArn"], Message="an alarm")
        assert received() == sorted([*seeds, "anybody's", "an alarm"])
    before = memory.read_text()
    with remembering(memory) as (stack, received):
        begin(stack, Printer(out=told), remembered=earlier(memory), seeds=[])
        assert received() == sorted([*set(seeds), "anybody's"])
    assert memory.read_text() == before  # which tells attributes that were lost apart, and what was written twice
    assert memory.stat().st_mode & 0o777 == 0o600
    assert told.getvalue().splitlines() == [
        f"published at the start: {count} of {count} messages" for count in (len(seeds), len(set(seeds)) + 1)
    ]


@pytest.mark.parametrize(("line", "rule"), [("{}", "a line of `dlq export`"), ("{", "must be JSON")])
def test_a_memory_that_somebody_changed_is_told_with_what_to_do(tmp_path: Path, line: str, rule: str) -> None:
    (tmp_path / "published.jsonl").write_text(line)
    with pytest.raises(
        Failure, match=rf"published\.jsonl must be as it was written: .*{rule}.*Remove it to begin anew"
    ):
        earlier(tmp_path / "published.jsonl")


def test_a_file_of_orders_that_break_the_contract_deploys_nothing(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_text('{"orderId": "O1"}\n')
    with pytest.raises(Failure, match="1 of 1 orders must be corrected, and nothing was published"):
        orders_of(str(tmp_path / "orders.jsonl"))
