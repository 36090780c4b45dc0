"""DynamoDB is down for longer than three visibility timeouts; afterwards the runbook's commands store every order."""

import json
import time
from pathlib import Path

import pytest

from tests.defaults import LOCAL
from tests.ops.cloud import QUEUE, bodies
from tests.proofs import figures
from tests.proofs.ledger import drain, operate
from tests.proofs.proxy import between_function_and_table
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import stored_events


@pytest.mark.proof
def test_an_outage_longer_than_every_retry_costs_none_of_500_orders(tmp_path: Path) -> None:
    with deployed(config={**LOCAL, "orders:logLevel": "INFO"}) as deployment:
        figures.write("outage", prove(deployment, tmp_path / "orders.jsonl", orders=500, seed=1))


def prove(deployment: Deployment, saved: Path, *, orders: int, seed: int) -> figures.Figures:
    """Publish orders into the outage, wait until it has lasted long enough, end it, redrive, and verify."""
    outage = _go_down(deployment, saved, orders=orders, seed=seed)
    published = saved.read_text().splitlines()
    assert not stored_events(deployment), "must store nothing while DynamoDB is down"
    assert sorted(bodies(deployment, QUEUE)) == sorted(published), "must lose nothing"
    redrive = _follow_the_runbook(deployment, saved)
    assert len(stored_events(deployment)) == orders
    assert not bodies(deployment, QUEUE)
    return {
        "orders published into the outage": orders,
        **outage,
        "orders in the dead-letter queue at its end": orders,
        **redrive,
        "stored after the redrive": orders,
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
        operate(deployment, "publish", "--generate", str(orders), "--save", str(saved))
        drain(deployment)
        time.sleep(max(0.0, started + receives * timeout + 1 - time.monotonic()))
        return {
            "visibility timeout (s)": timeout,
            "outage (s)": time.monotonic() - started,
            **{f"calls to DynamoDB: {kind}": number for kind, number in sorted(proxy.counts.items())},
        }


def _follow_the_runbook(deployment: Deployment, saved: Path) -> figures.Figures:
    """Look, redrive, verify."""
    operate(deployment, "status", statuses=(0, 1))  # 1: something is not well, which is so
    assert len(operate(deployment, "dlq", "list")) == len(saved.read_text().splitlines())
    started = time.monotonic()
    redriven = operate(deployment, "dlq", "redrive", "--yes")
    seconds = time.monotonic() - started
    drain(deployment)
    # The log of the outage itself is full of failures, rightly.
    since = max(1, int(time.monotonic() - started))
    operate(deployment, "verify", str(saved), "--since", f"{since}s")
    return {"messages redriven": redriven["moved"], "redrive, with its proof (s)": seconds}
