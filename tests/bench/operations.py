"""Measures the operator's largest jobs on the local cloud: time and memory of a command, over few messages and many."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from tools.cloud.deploy import deployed, written_addresses
from tools.ops.publish import generate
from tools.ops.stack import local_stack
from tools.root import ROOT

MESSAGES, QUICK_MESSAGES = (2_000, 20_000), (100,)
DEAD = ("dlq list", "dlq export letters.jsonl", "dlq redrive --yes --wait 15m")
"""Run one after the other over the same dead letters."""
LIVE = ("publish --generate {} --save sent.jsonl", "verify sent.jsonl --wait 15m")
"""Run one after the other; the second waits until the last order is stored."""


def measure(*, quick: bool) -> dict[str, Any]:
    """Run each command over each number of messages."""
    with tempfile.TemporaryDirectory() as folder, deployed() as deployment:
        addresses = Path(folder) / "outputs.json"
        stack = local_stack("the local cloud", deployment.addresses())
        with written_addresses(deployment, addresses):
            rows = []
            for messages in QUICK_MESSAGES if quick else MESSAGES:
                _fill(stack.client("sqs"), stack["deadLetterQueueUrl"], messages)
                for command in DEAD + LIVE:
                    line = command.format(messages)
                    rows.append({"messages": messages, "command": line.split(" --")[0], **_run(line, addresses)})
                (Path(folder) / "letters.jsonl").unlink()
    return {"rows": rows}


def _fill(sqs: Any, url: str, messages: int) -> None:
    """Put so many valid orders into a queue."""
    bodies = list(generate(messages))

    def send(start: int) -> None:
        chunk = bodies[start : start + 10]
        sqs.send_message_batch(
            QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": body} for n, body in enumerate(chunk)]
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(0, messages, 10)))


def _run(command: str, addresses: Path) -> Mapping[str, float]:
    """Seconds and peak memory of one command. Raises RuntimeError if it fails."""
    line = [sys.executable, "-m", "tools", "--outputs", str(addresses), *command.split()]
    environment, peak = {**os.environ, "PYTHONPATH": str(ROOT)}, 0
    with tempfile.TemporaryFile("w+") as told:
        started = time.perf_counter()
        process = psutil.Popen(line, cwd=addresses.parent, env=environment, stdout=told, stderr=told)
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):  # it may have ended meanwhile
                peak = max(peak, process.memory_info().rss)
            time.sleep(0.02)
        seconds = time.perf_counter() - started
        told.seek(0)
        text = told.read()
        # On a busy machine a write may come late and be repeated: a warning in the log, and no order missing.
        if process.returncode and "✔ table" not in text:
            raise RuntimeError(f"`ops {command}` must succeed, but: {text[-2000:]}")
    return {"seconds": round(seconds, 1), "peak_mb": round(peak / 2**20)}
