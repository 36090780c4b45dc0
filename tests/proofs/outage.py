"""DynamoDB is down for longer than three visibility timeouts; afterwards the runbook's commands store every order."""

import json
import tempfile
import time
from pathlib import Path

from tests.proofs.account import bodies_in, drain
from tests.proofs.commands import command, operate
from tests.proofs.faults import visibility_timeout
from tests.proofs.proxy import between_function_and_table
from tests.proofs.report import Figure, Result
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import stored_events


def run(*, orders: int = 500, seed: int = 1) -> Result:
    """Prove it on a cloud of its own, with the visibility timeout that the stack derives."""
    with deployed(config={"orders:logLevel": "INFO"}) as deployment:
        return prove(deployment, orders=orders, seed=seed)


def prove(deployment: Deployment, *, orders: int, seed: int, visibility: int | None = None) -> Result:
    """Publish orders into the outage, wait until it has lasted long enough, end it, redrive, and verify.

    `visibility` shortens the queue's visibility timeout, in seconds, for as long as the outage lasts.
    """
    operate(deployment, "dlq", "purge", "--yes", "--json")  # what others left there is not ours to judge
    known = set(stored_events(deployment))
    with tempfile.TemporaryDirectory() as folder, visibility_timeout(deployment, visibility):
        saved = Path(folder) / "orders.jsonl"
        figures = _go_down(deployment, saved, orders=orders, seed=seed)
        bodies = saved.read_text().splitlines()
        ids = {json.loads(body)["orderId"] for body in bodies}
        during = ids & set(stored_events(deployment))
        dead = bodies_in(deployment, "deadLetterQueueUrl")
        redriven, problems = _follow_the_runbook(deployment, saved, ids)
    stored = ids & (set(stored_events(deployment)) - known)
    lost = [body for body in bodies if not dead[body]]
    left = bodies_in(deployment, "deadLetterQueueUrl")
    problems += [f"lost: {body}" for body in lost[:5]]
    problems += [f"stored while DynamoDB was down: {order}" for order in sorted(during)[:5]]
    problems += [f"not stored after the redrive: {order}" for order in sorted(ids - stored)[:5]]
    problems += [f"still a dead letter: {body}" for body in bodies if left[body]][:5]
    return Result(
        promise="an outage of DynamoDB that outlasts every retry costs no order: all wait in the dead-letter queue, "
        "and one redrive stores them",
        test="Every call to DynamoDB is refused or hangs for longer than three visibility timeouts, while orders are "
        "published. Then `./orders status`, `dlq list`, `dlq redrive --yes` and `verify` are run, as the runbook "
        "says.",
        figures={
            "orders published into the outage": len(bodies),
            **figures,
            "stored during the outage": len(during),
            "orders in the dead-letter queue at its end": len(bodies) - len(lost),
            **redriven,
            "stored after the redrive": len(stored),
            "lost": len(lost) + len(ids - stored),
        },
        problems=tuple(problems),
    )


def _go_down(deployment: Deployment, saved: Path, *, orders: int, seed: int) -> dict[str, Figure]:
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


def _follow_the_runbook(deployment: Deployment, saved: Path, ids: set[str]) -> tuple[dict[str, Figure], list[str]]:
    """Look, redrive, verify; return the figures of the redrive, and what a command did not do."""
    problems = []
    status = command(deployment, "status")
    if status.returncode not in (0, 1):  # 1: something is not well, which is so
        problems.append(f"`status` must describe the outage, but said: {status.stdout}{status.stderr}")
    if {message["orderId"] for message in operate(deployment, "dlq", "list", "--json")} < ids:
        problems.append("`dlq list` does not show every order")
    started = time.monotonic()
    redriven = operate(deployment, "dlq", "redrive", "--yes", "--json")
    seconds = time.monotonic() - started
    drain(deployment)
    # The log of the outage itself is full of failures, rightly.
    since = max(1, int(time.monotonic() - started))
    verdict = command(deployment, "verify", str(saved), "--since", f"{since}s")
    if verdict.returncode != 0:
        problems.append(f"`verify` must find every order, but said: {verdict.stdout}{verdict.stderr}")
    return {"messages redriven": redriven["moved"], "redrive, with its proof (s)": seconds}, problems
