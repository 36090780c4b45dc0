"""More than a thousand orders while calls fail and workers die: none is lost."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.defaults import LOCAL
from tests.ops.cloud import QUEUE, TOPIC, bodies
from tests.proofs import figures
from tests.proofs.ledger import drain, missing, operate, publish
from tests.proofs.proxy import SHARES, FaultProxy, between_function_and_table
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import stored_events
from tools.cloud.traffic import Traffic, make_traffic

RATES = (0.1, 0.2, 0.3)
"""Part of the calls to DynamoDB that fail, phase by phase."""
CONFIG = {**LOCAL, "orders:functionTimeout": "2", "orders:maximumConcurrency": "4", "orders:logLevel": "INFO"}


@pytest.mark.proof
def test_fifteen_hundred_orders_survive_failing_calls_and_dying_workers() -> None:
    with deployed(config=CONFIG) as deployment:
        figures.write("faults", prove(deployment, traffic_of(1_500, seed=1), seed=1, between_deaths=4))


def test_every_message_is_accounted_for_while_calls_fail_and_workers_die(deployment: Deployment) -> None:
    url, sqs = deployment.outputs["queueUrl"], deployment.client("sqs")
    # Three receives take a third of the time that the stack would take.
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "2"})
    prove(deployment, traffic_of(30, seed=3), seed=3, between_deaths=1)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "6"})


def traffic_of(orders: int, seed: int) -> Traffic:
    """Traffic whose orders no other seed has."""
    return make_traffic(orders, seed, prefix=f"R{seed}-", examples=None)


def prove(deployment: Deployment, traffic: Traffic, *, seed: int, between_deaths: float) -> figures.Figures:
    """Send traffic through a deployment while things fail, look for all of it, redrive, and look again."""
    drain(deployment)  # what others have sent is not ours to explain
    items, letters = stored_events(deployment).keys(), Counter(bodies(deployment, QUEUE))
    started = time.monotonic()
    with (
        between_function_and_table(deployment, seed=seed) as proxy,
        dying_workers(deployment, proxy, seed=seed, every=between_deaths) as deaths,
    ):
        size = -(-len(traffic.bodies) // len(RATES))
        for phase, rate in enumerate(RATES):
            proxy.rate = rate
            publish(deployment, traffic.bodies[phase * size : (phase + 1) * size])
        drain(deployment)
    seconds = time.monotonic() - started
    stored, dead = len(stored_events(deployment).keys() - items), Counter(bodies(deployment, QUEUE)) - letters
    assert not missing(deployment, traffic, dead)
    redriven = operate(deployment, "dlq", "redrive", "--yes")
    drain(deployment)
    assert not missing(deployment, traffic)
    assert stored_events(deployment).keys() - items == traffic.newest.keys(), "must store nothing else"
    assert Counter(bodies(deployment, QUEUE)) - letters == traffic.poison, "must keep all poison, and nothing else"
    assert not bodies(deployment, TOPIC)
    assert deaths, "no worker was killed: the proof proved nothing"
    assert proxy.counts.keys() & SHARES.keys(), "no call failed: the proof proved nothing"
    return {
        "orders": len(traffic.newest),
        "messages published": len(traffic.bodies),
        "poison among them": traffic.poison.total(),
        **{f"calls to DynamoDB: {kind}": number for kind, number in sorted(proxy.counts.items())},
        "workers killed": len(deaths),
        "batches cut off in the middle": _cut_off(deployment),
        "from the first message to an empty queue (s)": seconds,
        "stored": stored,
        "in the dead-letter queue": dead.total(),
        "redriven": redriven["moved"],
        "stored after the redrive": len(traffic.newest),
        "dead letters after the redrive, all poison": traffic.poison.total(),
        "lost, unexplained, or not in the newest version": 0,
    }


@contextlib.contextmanager
def dying_workers(deployment: Deployment, proxy: FaultProxy, *, seed: int, every: float) -> Iterator[list[float]]:
    """Kill a worker every so many seconds while messages are in flight; yields when each died.

    None dies before a call has come through the proxy since the last death: on a slow machine none would ever start.
    """
    chance, ended = random.Random(seed), threading.Event()
    deaths: list[float] = []

    def kill() -> None:
        calls = 0
        while not ended.wait(every):
            if proxy.counts["calls"] > calls and (alive := workers(deployment)) and _in_flight(deployment):
                with contextlib.suppress(psutil.Error):
                    chance.choice(alive).kill()
                    deaths.append(time.monotonic())
                    calls = proxy.counts["calls"]

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield deaths
    finally:
        ended.set()
        thread.join()


def workers(deployment: Deployment) -> list[psutil.Process]:
    """The processes that run the function."""
    found, folder = [], f"{deployment.cloud.folder}/ministack-lambda-ProcessOrder"
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(argument.startswith(folder) for argument in process.cmdline()):
                found.append(process)
    return found


def _cut_off(deployment: Deployment) -> int:
    """How many invocations ended without an answer, by the cloud's log."""
    log = (deployment.cloud.folder / "cloud.log").read_text(errors="replace")
    return log.count("failed processing SQS batch")


def _in_flight(deployment: Deployment) -> int:
    name = "ApproximateNumberOfMessagesNotVisible"
    with contextlib.suppress(BotoCoreError, ClientError):  # a busy machine
        answer = deployment.client("sqs").get_queue_attributes(
            QueueUrl=deployment.outputs["queueUrl"], AttributeNames=[name]
        )
        return int(answer["Attributes"][name])
    return 0
