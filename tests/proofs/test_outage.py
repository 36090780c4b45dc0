"""DynamoDB is down for longer than three visibility timeouts; afterwards the runbook's commands store every order."""

import json
import re
import time
from pathlib import Path

import pytest

from tests.defaults import LOCAL
from tests.proofs import figures
from tests.proofs.commands import command, operate
from tests.proofs.ledger import bodies_in, drain
from tests.proofs.proxy import between_function_and_table
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import stored_events
from tools.root import ROOT


@pytest.mark.proof
def test_an_outage_longer_than_every_retry_costs_none_of_500_orders(tmp_path: Path) -> None:
    with deployed(config={**LOCAL, "orders:logLevel": "INFO"}) as deployment:
        figures.write("outage", prove(deployment, tmp_path / "orders.jsonl", orders=500, seed=1))


def test_the_runbook_has_the_commands_that_end_an_outage() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    for step in ("status", "dlq list", "dlq redrive", "verify"):
        assert re.search(rf"^\$ ./orders {step}\b", runbook, re.MULTILINE), step


def prove(deployment: Deployment, saved: Path, *, orders: int, seed: int) -> figures.Figures:
    """Publish orders into the outage, wait until it has lasted long enough, end it, redrive, and verify."""
    operate(deployment, "dlq", "purge", "--yes", "--json")  # what others left there is not ours to judge
    outage = _go_down(deployment, saved, orders=orders, seed=seed)
    bodies = saved.read_text().splitlines()
    ids = {json.loads(body)["orderId"] for body in bodies}
    assert not ids & stored_events(deployment).keys(), "must store nothing while DynamoDB is down"
    assert bodies_in(deployment, "deadLetterQueueUrl").keys() >= set(bodies), "must lose nothing"
    redrive = _follow_the_runbook(deployment, saved, ids)
    assert stored_events(deployment).keys() >= ids
    assert not bodies_in(deployment, "deadLetterQueueUrl").keys() & set(bodies)
    return {
        "orders published into the outage": len(bodies),
        **outage,
        "orders in the dead-letter queue at its end": len(bodies),
        **redrive,
        "stored after the redrive": len(ids),
        "lost": 0,
    }


def _go_down(deployment: Deployment, saved: Path, *, orders: int, seed: int) -> figures.Figures:
    """Publish orders while every call fails, until the last receive of each is over and the queue is empty."""
    url, names = deployment.outputs["queueUrl"], ["VisibilityTimeout", "RedrivePolicy"]
    queue = deployment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    timeout, receives = int(queue["VisibilityTimeout"]), json.loads(queue["RedrivePolicy"])["maxReceiveCount"]
    with between_function_and_table(deployment, seed=seed) as proxy:
        proxy.down = True
        started = time.monotonic()
        operate(deployment, "publish", "--generate", str(orders), "--save", str(saved), "--json")
        drain(deployment)
        time.sleep(max(0.0, started + receives * timeout + 1 - time.monotonic()))
        return {
            "visibility timeout (s)": timeout,
            "outage (s)": time.monotonic() - started,
            **{f"calls to DynamoDB: {kind}": number for kind, number in sorted(proxy.counts.items())},
        }


def _follow_the_runbook(deployment: Deployment, saved: Path, ids: set[str]) -> figures.Figures:
    """Look, redrive, verify."""
    status = command(deployment, "status")
    assert status.returncode in (0, 1), status.stdout + status.stderr  # 1: something is not well, which is so
    assert {message["orderId"] for message in operate(deployment, "dlq", "list", "--json")} >= ids
    started = time.monotonic()
    redriven = operate(deployment, "dlq", "redrive", "--yes", "--json")
    seconds = time.monotonic() - started
    drain(deployment)
    # The log of the outage itself is full of failures, rightly.
    since = max(1, int(time.monotonic() - started))
    verdict = command(deployment, "verify", str(saved), "--since", f"{since}s")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    return {"messages redriven": redriven["moved"], "redrive, with its proof (s)": seconds}
