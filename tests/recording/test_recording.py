"""A run of the program that fails says so at once, whatever fails and wherever."""

import asyncio
import os
import time
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockResourceArgs
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tests.defaults import BARE, record_defaults
from tools.recording.graph import ACCOUNT, Graph, program, record, recorded_answer
from tools.recording.pack import analyze
from tools.recording.running import limited

PATIENCE = 30.0
"""Seconds; a run that fails takes less than one."""
REGION = "eu-west-1"


class Unusual(BaseException):
    """What no `except Exception` catches."""


FAILURES = (ValueError, StopIteration, SystemExit, Unusual)
"""The SDK waits forever after the second and the last of them, if one of its threads raises it."""


def recorded(**options: Any) -> Graph:
    """A run of the program, which may not take longer than PATIENCE."""
    started = time.monotonic()
    return limited(lambda: record_defaults(**options), PATIENCE, since=lambda: started)


@pytest.mark.parametrize(
    ("failure", "name"), list(zip(FAILURES, ["OrderKey", "Orders", "OrderAlarms-dashboard", "OrderKey"], strict=True))
)
def test_a_resource_that_cannot_be_created_ends_the_run_with_its_own_reason(
    failure: type[BaseException], name: str
) -> None:
    answered = recorded_answer(REGION)

    def answer(args: MockResourceArgs) -> tuple[str, dict[str, object]]:
        if args.name == name:
            raise failure(f"no {name}")
        return answered(args)

    with pytest.raises(failure, match=f"^no {name}$"):
        recorded(answer=answer)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_program_that_fails_ends_the_run_and_leaves_nothing_that_the_next_would_wait_for(
    failure: type[BaseException],
) -> None:
    def failing() -> None:
        program()
        pulumi.Output.from_input(asyncio.get_running_loop().create_future())
        raise failure("no orders")

    with pytest.raises(failure):
        recorded(program=failing)
    assert not recorded(program=lambda: None).resources


def test_what_the_environment_says_is_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> None:
        pulumi.export("set", [pulumi.Config("orders").get(key) for key in ("batchSize", "functionTimeout")])

    monkeypatch.setenv("PULUMI_CONFIG", '{"orders:batchSize": "7"}')
    monkeypatch.setenv("PULUMI_CONFIG_ORDERS_FUNCTIONTIMEOUT", "7")
    assert record(root=BARE, program=program).exports == {"set": [None, None]}
    assert os.environ["PULUMI_CONFIG_ORDERS_FUNCTIONTIMEOUT"] == "7"


def test_a_resource_that_is_a_value_is_its_id(analyzer: AnalyzerStub) -> None:
    def program() -> None:
        component = pulumi.ComponentResource("test:index:Holder", "holder")
        queue = aws.sqs.Queue("q", opts=pulumi.ResourceOptions(parent=component))
        aws.sqs.Queue("other", tags={"of": queue})  # type: ignore[dict-item]  # which the SDK takes all the same
        component.register_outputs({"queue": queue})
        pulumi.export("queue", queue)

    for preview, id_ in ((True, rpc.UNKNOWN), (False, f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/q")):
        graph = record(root=BARE, program=program, preview=preview)
        assert graph.one("test:index:Holder", "holder").told["queue"] == id_
        assert graph.one("aws:sqs/queue:Queue", "other").properties["tags"] == {"of": id_}
        assert analyze(analyzer, graph).resources == 3
