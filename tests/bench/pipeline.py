"""Measures the whole pipeline on the local cloud: publish to stored, ours and the original handler side by side."""

import json
import os
import queue
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.events import new_order
from tests.bench.results import spread
from tests.bench.side_by_side import BATCH, CONCURRENCY, program
from tests.bench.simulation import TICK, Settings, Work, simulate
from tools.cloud.cloud import loopback_client
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment
from tools.root import ROOT

RATES = {10: 60, 100: 400}
"""Orders a second, and how many orders are published at that rate."""
QUICK_RATES = {10: 10}
FLAT_OUT, QUICK_FLAT_OUT = 1500, 100
ROUNDS = 2
PUBLISHERS = 4
SETTLE_LIMIT = 60.0
"""Seconds after the last publish within which every order must be in the table."""


def measure(*, quick: bool) -> dict[str, Any]:
    """Deploy both, warm both up, and let them take turns at each rate."""
    rates = {**(QUICK_RATES if quick else RATES), 0: QUICK_FLAT_OUT if quick else FLAT_OUT}
    turns: dict[tuple[int, str], list[dict[str, float]]] = {}
    with deployed(stack="dev", program=program) as deployment:
        names = ["ours", "original"]
        for name in names:
            _publish_and_wait(deployment, name, 20, 0)
        for _ in range(1 if quick else ROUNDS):
            for rate, orders in rates.items():
                for name in names:
                    turns.setdefault((rate, name), []).append(_publish_and_wait(deployment, name, orders, rate))
            names.reverse()
        check = None if quick else _check(deployment)
    return {
        "rows": [
            {
                "contender": name,
                "rate": rate or "flat out",
                "orders": rates[rate],
                **{kind: round(median(turn[kind] for turn in runs), 1) for kind in runs[0]},
                "ratio": _ratio(turns[rate, "ours"], runs),
            }
            for (rate, name), runs in turns.items()
        ],
        "deploy_seconds": round(deployment.seconds, 2),
        "start": None if quick else _start(3),
        "check": check,
    }


def _ratio(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> dict[str, float]:
    """How many times our throughput is theirs."""
    values = [mine["orders_per_second"] / other["orders_per_second"] for mine, other in zip(ours, theirs, strict=True)]
    return spread(values * 2 if len(values) == 1 else values)


def _publish_and_wait(deployment: Deployment, name: str, orders: int, rate: int) -> dict[str, float]:
    """Publish so many orders, at a rate or as fast as it goes, and watch the table until it holds them all."""
    bodies = [new_order() for _ in range(orders)]
    published: queue.SimpleQueue[tuple[str, float]] = queue.SimpleQueue()
    stored: dict[str, float] = {}
    started = time.perf_counter()
    watcher = threading.Thread(target=_watch, args=(deployment, name, published, stored, orders), daemon=True)
    watcher.start()
    with ThreadPoolExecutor(PUBLISHERS) as pool:
        if rate:
            for number, body in enumerate(bodies):
                time.sleep(max(0.0, started + number / rate - time.perf_counter()))
                pool.submit(_publish, deployment, name, [body], published)
        else:
            for start in range(0, orders, 10):
                pool.submit(_publish, deployment, name, bodies[start : start + 10], published)
    watcher.join(SETTLE_LIMIT)
    if len(stored) < orders:
        raise RuntimeError(f"{name}: {orders} orders must be stored, got {len(stored)} after {SETTLE_LIMIT:g} s")
    latencies = statistics.quantiles([seconds * 1000 for seconds in stored.values()], n=100, method="inclusive")
    return {
        "orders_per_second": orders / (time.perf_counter() - started),
        "p50_ms": latencies[49],
        "p95_ms": latencies[94],
        "p99_ms": latencies[98],
    }


def _publish(
    deployment: Deployment, name: str, bodies: list[str], published: queue.SimpleQueue[tuple[str, float]]
) -> None:
    now = time.perf_counter()
    entries = [{"Id": str(number), "Message": body} for number, body in enumerate(bodies)]
    topic = deployment.outputs[f"{name}Topic"]
    answer = deployment.client("sns").publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    if answer.get("Failed"):
        raise RuntimeError(f"every order must be published, got {answer['Failed'][0]}")
    for body in bodies:
        published.put((json.loads(body)["orderId"], now))


def _watch(
    deployment: Deployment,
    name: str,
    published: queue.SimpleQueue[tuple[str, float]],
    stored: dict[str, float],
    orders: int,
) -> None:
    """Note for each order the seconds from its publishing until a read finds it; the oldest hundred are looked for."""
    dynamodb, table = deployment.client("dynamodb"), deployment.outputs[f"{name}Table"]
    waiting: dict[str, float] = {}
    while len(stored) < orders:
        while not published.empty():
            order, since = published.get()
            waiting[order] = since
        keys = [{"orderId": {"S": order}} for order in list(waiting)[:100]]
        if keys:
            request = {table: {"Keys": keys, "ProjectionExpression": "orderId"}}
            found = dynamodb.batch_get_item(RequestItems=request)["Responses"][table]
            now = time.perf_counter()
            for item in found:
                order = item["orderId"]["S"]
                stored[order] = now - waiting.pop(order)
        time.sleep(0.002)


def _check(deployment: Deployment) -> dict[str, Any]:
    """Learn the time of an invocation from a small burst, simulate a larger one, and hold it against the real one."""
    orders = {"learned": 300, "simulated": 1500}
    seconds = {
        name: median(count / _publish_and_wait(deployment, "ours", count, 0)["orders_per_second"] for _ in range(3))
        for name, count in orders.items()
    }
    work = Work(fixed=seconds["learned"] / (orders["learned"] / BATCH) * CONCURRENCY, per_event=0)
    settings = Settings(batch_size=BATCH, maximum_concurrency=CONCURRENCY)
    rate = orders["simulated"] / TICK
    run = simulate(lambda now: rate if now == 0 else 0.0, settings, work, seconds=4 * SETTLE_LIMIT)
    return {
        "orders": orders,
        "measured_seconds": round(seconds["simulated"], 2),
        "simulated_seconds": round(run.drained or float("inf"), 2),
        "ratio": round((run.drained or float("inf")) / seconds["simulated"], 2),
    }


def _start(rounds: int) -> dict[str, Any]:
    """Time `./orders local --no-page` from nothing to ready, and from there to its first stored order."""
    runs = [_up() for _ in range(rounds)]
    return {kind: round(median(run[kind] for run in runs), 2) for kind in runs[0]}


def _up() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder) / "outputs.json"
        command = [sys.executable, "-m", "tools", "local", "--no-page", "--outputs", str(outputs)]
        started = time.perf_counter()
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "200"}) as up:
            try:
                while not outputs.exists():
                    if up.poll() is not None or time.perf_counter() - started > SETTLE_LIMIT:
                        raise RuntimeError(
                            "the local cloud must start, but `./orders local --no-page` did not get ready"
                        )
                    time.sleep(0.01)
                ready = time.perf_counter()
                _store_one(json.loads(outputs.read_text()))
                first = time.perf_counter()
            finally:
                up.send_signal(signal.SIGINT)
    return {"ready_seconds": ready - started, "first_order_seconds": first - ready}


def _store_one(addresses: dict[str, Any]) -> None:
    where = {
        "endpoint": addresses["endpoint"],
        "region": addresses["region"],
        "ca_bundle": addresses["caBundle"],
        "access_key_id": addresses["accessKeyId"],
        "secret_access_key": addresses["secretAccessKey"],
    }
    body = new_order()
    key = {"orderId": {"S": json.loads(body)["orderId"]}}
    loopback_client("sns", **where).publish(TopicArn=addresses["outputs"]["topicArn"], Message=body)
    dynamodb = loopback_client("dynamodb", **where)
    deadline = time.perf_counter() + SETTLE_LIMIT
    while "Item" not in dynamodb.get_item(TableName=addresses["outputs"]["tableName"], Key=key):
        if time.perf_counter() > deadline:
            raise RuntimeError("the first order must reach the table of the local cloud, but did not")
        time.sleep(0.005)
