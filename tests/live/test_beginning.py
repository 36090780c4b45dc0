"""What a local cloud begins with: orders of a file, and what was published on the clouds before it."""

import io
import json
from pathlib import Path

import pytest

from tests.defaults import LOCAL
from tools.cloud.deploy import deployed
from tools.cloud.emulator import REMEMBER
from tools.cloud.holdings import stored_events
from tools.live.beginning import begin, earlier, orders_of
from tools.ops.failure import Failure
from tools.ops.stack import local_stack
from tools.ops.table import wait_until_stored
from tools.ops.verify import expected
from tools.root import ROOT
from tools.terminal import Printer

SEEDS = ROOT / "docs/examples/orders.jsonl"
COLOUR = {"colour": {"DataType": "String", "StringValue": "blue"}, "size": {"DataType": "Number", "StringValue": "7"}}


def test_a_restart_publishes_again_what_anybody_published(tmp_path: Path) -> None:
    memory, told = tmp_path / "build/published.jsonl", io.StringIO()
    seeds, tables, texts = orders_of(str(SEEDS)), [], []
    once = len(set(seeds)) + 1
    own = {**json.loads(seeds[0]), "orderId": "OWN"}
    for run in range(2):
        remembered = earlier(memory)
        with deployed(config=LOCAL, variables={REMEMBER: str(memory)}) as deployment:
            stack = local_stack("a test", deployment.addresses())
            begin(stack, Printer(out=told), remembered=remembered, seeds=[] if run else seeds)
            if not run:
                sns, topic = stack.client("sns"), stack["topicArn"]
                sns.publish(TopicArn=topic, Message=json.dumps(own), MessageAttributes=COLOUR)
                sns.publish(TopicArn=stack["alarmTopicArn"], Message="an alarm")
            assert not wait_until_stored(stack, expected([*seeds, json.dumps(own)]), seconds=60)
            tables.append(stored_events(deployment))
        texts.append(memory.read_text())  # which tells attributes that were lost apart, and what was written twice
    assert tables[0] == tables[1]
    assert texts[0] == texts[1]
    assert memory.stat().st_mode & 0o777 == 0o600
    assert told.getvalue().splitlines() == [
        f"published at the start: {count} of {count} messages" for count in (len(seeds), once)
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
