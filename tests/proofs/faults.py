"""Thousands of orders while calls fail, workers die and the cloud restarts: none may be lost."""

import contextlib
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from tests.proofs.account import Account, account, drain, not_newest, publish, survey
from tests.proofs.commands import operate
from tests.proofs.proxy import SHARES, FaultProxy, between_function_and_table
from tests.proofs.report import Figure, Result
from tools.cloud.cloud import running_cloud
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import depth
from tools.cloud.traffic import Traffic, make_traffic
from tools.ops.logs import Follower, since
from tools.ops.stack import local_stack
from tools.recording.graph import stack_config

PROMISE = (
    "every accepted message ends in the table or in the dead-letter queue, and after a redrive every valid order is "
    "stored in its newest version"
)
TEST = (
    "Orders, a third of them in several versions, an eighth of the messages twice, go through the topic in a random "
    "sequence with poison among them, while a proxy between the function and DynamoDB makes up to 30% of the calls "
    "fail, workers are killed in mid-batch and, between phases, the whole cloud is. Every message is then looked for "
    "in the table and in the dead-letter queue, before and after `./orders dlq redrive`."
)
RATES = (0.1, 0.2, 0.3)
"""Part of the calls to DynamoDB that fail, phase by phase."""
CONFIG = {"orders:functionTimeout": "2", "orders:maximumConcurrency": "4", "orders:logLevel": "INFO"}
BETWEEN_DEATHS = 4.0
"""Seconds from one death of a worker to the next."""


def run(*, orders: int = 10_000, seed: int = 1) -> Result:
    """Run the traffic on a cloud of its own, in phases of rising fault rates with a restart of the cloud in between."""
    with durable_deployment() as deployment:
        return prove(deployment, traffic_of(orders, seed), seed=seed, restarts=True)


def traffic_of(orders: int, seed: int) -> Traffic:
    """Traffic whose orders no other seed has."""
    return make_traffic(orders, seed, prefix=f"R{seed}-", examples=None)


def prove(
    deployment: Deployment,
    traffic: Traffic,
    *,
    seed: int,
    restarts: bool,
    visibility: int | None = None,
    between_deaths: float = BETWEEN_DEATHS,
) -> Result:
    """Send traffic through a deployment while things fail, account for it, redrive, and account again.

    `visibility` shortens the queue's visibility timeout, in seconds, for as long as it takes.
    """
    known = survey(deployment)
    with visibility_timeout(deployment, visibility):
        incidents = _fail(deployment, traffic, seed=seed, restarts=restarts, between_deaths=between_deaths)
    before = account(deployment, traffic, known)
    redriven = operate(deployment, "dlq", "redrive", "--yes", "--json")
    drain(deployment)
    after = account(deployment, traffic, known)
    wrong = not_newest(deployment, traffic)
    figures = {
        "orders": len(traffic.newest),
        "messages published": len(traffic.bodies),
        "poison among them": traffic.poison.total(),
        **incidents,
        "stored": before.stored,
        "in the dead-letter queue": before.dead,
        "redriven": redriven["moved"],
        "stored after the redrive": after.stored,
        "dead letters after the redrive, all poison": after.dead,
        "lost": len(before.lost) + len(after.lost),
        "unexplained": len(before.unexplained) + len(after.unexplained),
        "orders not in their newest version": len(wrong),
    }
    problems = _problems(traffic, incidents, before, after, wrong)
    return Result(promise=PROMISE, test=TEST, figures=figures, problems=tuple(problems))


def _problems(
    traffic: Traffic, incidents: Mapping[str, Figure], before: Account, after: Account, wrong: Sequence[str]
) -> Iterator[str]:
    """Every way in which the promise did not hold, or was not put to the test."""
    yield from before.problems
    yield from after.problems
    yield from (f"not in its newest version: {order}" for order in wrong[:5])
    if after.dead != traffic.poison.total():
        yield f"{after.dead} dead letters after the redrive, but {traffic.poison.total()} poison messages"
    if not incidents["workers killed"] or not any(f"calls to DynamoDB: {kind}" in incidents for kind in SHARES):
        yield "nothing failed: the proof proved nothing"


def _fail(
    deployment: Deployment, traffic: Traffic, *, seed: int, restarts: bool, between_deaths: float
) -> dict[str, Figure]:
    """Publish the traffic and wait for the queue to empty while things fail; return what failed, and how often."""
    log = Follower(local_stack("the local cloud", deployment.addresses()), start=since(0))
    with (
        between_function_and_table(deployment, seed=seed) as proxy,
        dying_workers(deployment, proxy, seed=seed, every=between_deaths) as deaths,
    ):
        started = time.monotonic()
        restarted = _phases(deployment, traffic, proxy, restarts=restarts)
        seconds = time.monotonic() - started
        lines = list(log.new_lines())
    return {
        **{f"calls to DynamoDB: {kind}": number for kind, number in sorted(proxy.counts.items())},
        "workers killed": len(deaths),
        "batches cut off in the middle": _cut_off(deployment),
        "restarts of the cloud, with messages waiting": restarted,
        "deliveries that ended in an answer": sum(line.fields.get("records", 0) for line in lines),
        "deliveries answered as failed and retried": sum(line.fields.get("failed", 0) for line in lines),
        "from the first message to an empty queue (s)": seconds,
    }


def _phases(deployment: Deployment, traffic: Traffic, proxy: FaultProxy, *, restarts: bool) -> int:
    """Publish the traffic in as many parts as there are rates; return how often the cloud restarted in between."""
    size = -(-len(traffic.bodies) // len(RATES))
    restarted = 0
    for phase, rate in enumerate(RATES):
        proxy.rate = rate
        publish(deployment, traffic.bodies[phase * size : (phase + 1) * size])
        if restarts and phase < len(RATES) - 1:
            drain(deployment, down_to=size // 4)
            restart(deployment)
            restarted += 1
    drain(deployment)
    return restarted


@contextlib.contextmanager
def durable_deployment() -> Iterator[Deployment]:
    """The local stack on a cloud that keeps its state when it restarts."""
    _, values = stack_config("local")
    command = (sys.executable, "-m", "tests.proofs.persistent")
    with running_cloud(region=values["aws:region"], command=command) as cloud:
        deployment = Deployment(cloud, config=CONFIG)
        deployment.apply()
        yield deployment


def restart(deployment: Deployment) -> None:
    """Restart the cloud between two batches: a call that it answered is on disk, whatever is under way is cut off."""
    functions, [mapping] = deployment.client("lambda"), _mappings(deployment)
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    time.sleep(int(CONFIG["orders:functionTimeout"]) + 1)  # for what is under way
    [process] = [child for child in psutil.Process().children() if "tests.proofs.persistent" in child.cmdline()]
    process.send_signal(signal.SIGUSR1)
    time.sleep(0.5)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            depth(deployment, "queueUrl")
            break
        except (BotoCoreError, ClientError):
            time.sleep(0.2)
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def _mappings(deployment: Deployment) -> list[str]:
    answer = deployment.client("lambda").list_event_source_mappings(FunctionName=deployment.outputs["functionName"])
    return [mapping["UUID"] for mapping in answer["EventSourceMappings"]]


def workers(deployment: Deployment) -> list[psutil.Process]:
    """The processes that run the function."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(
                argument.startswith(f"{deployment.cloud.folder}/ministack-lambda-ProcessOrder")
                for argument in process.cmdline()
            ):
                found.append(process)
    return found


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


def _cut_off(deployment: Deployment) -> int:
    """How many invocations ended without an answer, by the cloud's log."""
    log = (deployment.cloud.folder / "cloud.log").read_text(errors="replace")
    return log.count("failed processing SQS batch")


def _in_flight(deployment: Deployment) -> int:
    name = "ApproximateNumberOfMessagesNotVisible"
    with contextlib.suppress(BotoCoreError, ClientError):  # the cloud restarts just now
        answer = deployment.client("sqs").get_queue_attributes(
            QueueUrl=deployment.outputs["queueUrl"], AttributeNames=[name]
        )
        return int(answer["Attributes"][name])
    return 0


@contextlib.contextmanager
def visibility_timeout(deployment: Deployment, seconds: int | None) -> Iterator[None]:
    """Change the queue's visibility timeout for as long as the block runs; None leaves it alone."""
    sqs, url, name = deployment.client("sqs"), deployment.outputs["queueUrl"], "VisibilityTimeout"
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
    if seconds is not None:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: str(seconds)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
