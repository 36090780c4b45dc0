"""A run of the program that fails says so at once, whatever fails and wherever."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockResourceArgs
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tests.defaults import BARE, record_defaults
from tools.recording.graph import ACCOUNT, program, record, recorded_answer, stack_config
from tools.recording.pack import analyze

PATIENCE = 30.0
"""Seconds; a run that fails takes less than one."""
REGION = "eu-west-1"


class Unusual(BaseException):
    """What no `except Exception` catches."""


FAILURES = (ValueError, StopIteration, SystemExit, Unusual)
"""The SDK waits forever after the second and the last of them, if one of its threads raises it."""


def raised_by(run: Callable[[], object]) -> BaseException | None:
    """What a run raises; it may not take longer than PATIENCE."""
    caught: list[BaseException] = []

    def running() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - what it raises is the question
            caught.append(error)

    thread = threading.Thread(target=running, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), f"the run goes on after {PATIENCE:.0f} s"
    return caught[0] if caught else None


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

    error = raised_by(lambda: record_defaults(answer=answer))
    assert isinstance(error, failure)
    assert str(error) == f"no {name}"


@pytest.mark.parametrize(("failure", "preview"), list(zip(FAILURES, [True, False] * 2, strict=True)))
def test_a_program_that_fails_ends_the_run_with_its_own_reason(failure: type[BaseException], preview: bool) -> None:
    def failing() -> None:
        program()
        raise failure("no orders")

    error = raised_by(lambda: record_defaults(program=failing, preview=preview))
    assert isinstance(error, failure)


def test_a_run_that_failed_leaves_nothing_that_the_next_would_wait_for() -> None:
    def failing() -> None:
        program()
        pulumi.Output.from_input(asyncio.get_running_loop().create_future())
        raise ZeroDivisionError("no orders")

    assert isinstance(raised_by(lambda: record_defaults(program=failing)), ZeroDivisionError)
    assert raised_by(record_defaults) is None


def test_what_the_environment_says_is_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = record(stack="dev", root=BARE)
    monkeypatch.setenv("PULUMI_CONFIG", '{"orders:batchSize": "7"}')
    monkeypatch.setenv("PULUMI_CONFIG_ORDERS_FUNCTIONTIMEOUT", "7")
    again = record(stack="dev", root=BARE)
    assert {each.urn: each.properties for each in again.resources} == {
        each.urn: each.properties for each in plain.resources
    }
    assert os.environ["PULUMI_CONFIG_ORDERS_FUNCTIONTIMEOUT"] == "7"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("config: [", r"Pulumi\.dev\.yaml must be YAML, but: .*line 1"),
        ("- a list", r"Pulumi\.dev\.yaml must be a mapping"),
        ("config: 7", r"Pulumi\.dev\.yaml must be a mapping"),
        ("config: \xff", r"Pulumi\.dev\.yaml must be YAML, but: .*utf-8"),
    ],
)
def test_a_stack_file_that_cannot_be_read_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: orders\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=told):
        stack_config("dev", tmp_path)


@pytest.mark.parametrize("preview", [True, False])
def test_a_resource_that_is_a_value_is_its_id(preview: bool, analyzer: AnalyzerStub) -> None:
    def program() -> None:
        component = pulumi.ComponentResource("test:index:Holder", "holder")
        queue = aws.sqs.Queue("q", opts=pulumi.ResourceOptions(parent=component))
        aws.sqs.Queue("other", tags={"of": queue})  # type: ignore[dict-item]  # which the SDK takes all the same
        component.register_outputs({"queue": queue})
        pulumi.export("queue", queue)

    graph = record(root=BARE, program=program, preview=preview)
    id_ = rpc.UNKNOWN if preview else f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/q"
    assert graph.one("test:index:Holder", "holder").told["queue"] == id_
    assert graph.one("aws:sqs/queue:Queue", "other").properties["tags"] == {"of": id_}
    assert analyze(analyzer, graph).resources == 3
