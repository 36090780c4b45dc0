"""More than a thousand orders while calls fail and workers die: none is lost."""

import contextlib
import json
import random
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.defaults import LOCAL
from tests.proofs import figures
from tests.proofs.commands import operate
from tests.proofs.ledger import drain, not_newest, publish, survey, take_stock, visibility_timeout
from tests.proofs.proxy import SHARES, FaultProxy, between_function_and_table
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment
from tools.cloud.traffic import Traffic, make_traffic

RATES = (0.1, 0.2, 0.3)
"""Part of the calls to DynamoDB that fail, phase by phase."""
CONFIG = {**LOCAL, "orders:functionTimeout": "2", "orders:maximumConcurrency": "4", "orders:logLevel": "INFO"}


@pytest.mark.proof
def test_fifteen_hundred_orders_survive_failing_calls_and_dying_workers() -> None:
    with deployed(config=CONFIG) as deployment:
        figures.write("faults", prove(deployment, traffic_of(1_500, seed=1), seed=1, between_deaths=4))


def test_every_message_is_accounted_for_while_calls_fail_and_workers_die(deployment: Deployment) -> None:
    # A short visibility timeout: three receives take a third of the time that the stack would take.
    with visibility_timeout(deployment, 2):
        prove(deployment, traffic_of(30, seed=3), seed=3, between_deaths=1)


def test_the_ledger_names_what_is_lost_what_is_older_and_what_nobody_published(deployment: Deployment) -> None:
    drain(deployment)
    before, traffic = survey(deployment), traffic_of(5, seed=5)
    [newest, *others] = traffic.newest.values()
    intruder = {**newest, "orderId": "intruder"}
    publish(deployment, [json.dumps({**newest, "timestamp": "2025-01-01T00:00:00Z"}), json.dumps(intruder)])
    drain(deployment)
    found = take_stock(deployment, traffic, before)
    assert json.dumps(newest) in found.lost
    assert {json.dumps(event) for event in others} <= set(found.lost)
    assert set(traffic.poison) <= set(found.lost)
    assert {"item intruder", f"item {newest['orderId']}"} == set(found.unexplained)
    assert not_newest(deployment, traffic) == list(traffic.newest)


def traffic_of(orders: int, seed: int) -> Traffic:
    """Traffic whose orders no other seed has."""
    return make_traffic(orders, seed, prefix=f"R{seed}-", examples=None)


def prove(deployment: Deployment, traffic: Traffic, *, seed: int, between_deaths: float) -> figures.Figures:
    """Send traffic through a deployment while things fail, look for all of it, redrive, and look again."""
    drain(deployment)  # what others have sent is not ours to explain
    known, started = survey(deployment), time.monotonic()
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
    before = take_stock(deployment, traffic, known)
    redriven = operate(deployment, "dlq", "redrive", "--yes", "--json")
    drain(deployment)
    after = take_stock(deployment, traffic, known)
    assert not [*before.problems, *after.problems]
    assert not not_newest(deployment, traffic)
    assert after.dead == traffic.poison.total()
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
        "stored": before.stored,
        "in the dead-letter queue": before.dead,
        "redriven": redriven["moved"],
        "stored after the redrive": after.stored,
        "dead letters after the redrive, all poison": after.dead,
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
