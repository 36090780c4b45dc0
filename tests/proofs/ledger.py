"""Sends traffic through the pipeline in a proof, runs the operator's commands, and finds where each order ended."""

import contextlib
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

import tools.ops.publish
from tests.ops.cloud import wait_for
from tools.__main__ import main
from tools.cloud.deploy import written_addresses
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import depth, stored_events
from tools.cloud.traffic import Traffic
from tools.ops.sending import Pace
from tools.ops.stack import local_stack


def publish(deployment: Deployment, bodies: Sequence[str]) -> None:
    """Publish every body: the topic takes each."""
    stack = local_stack("the local cloud", deployment.addresses())
    assert not tools.ops.publish.publish(stack, bodies, pace=Pace(None))


def drain(deployment: Deployment) -> None:
    """Wait until the queue holds nothing, in flight or not."""
    wait_for(lambda: not depth(deployment, "queueUrl"), "emptying the queue", 600)


def operate(deployment: Deployment, *arguments: str, statuses: Sequence[int] = (0,)) -> Any:
    """Run `./orders` with `--json` and return its answer; it must end with one of these statuses."""
    with written_addresses(deployment, None) as path, contextlib.redirect_stdout(io.StringIO()) as told:
        status = main([*arguments, "--json", "--outputs", str(path)])
    assert status in statuses, f"`{' '.join(arguments)}` ended with {status}: {told.getvalue()}"
    return json.loads(told.getvalue())


def missing(deployment: Deployment, traffic: Traffic, letters: Iterable[str] = ()) -> list[str]:
    """The orders whose newest version is neither in the table, exactly, nor among these dead letters."""
    table = stored_events(deployment)
    waiting = [json.loads(body) for body in letters if body not in traffic.poison]
    return [order for order, event in traffic.newest.items() if table.get(order) != event and event not in waiting]
