"""Runs one contender in a process of its own, as Lambda would: warm, one invocation after the other."""

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.events import LambdaContext, new_order, sqs_event
from tools.root import ROOT

MODULES = {
    "ours": "process_order.lambda_function",
    "original": "tests.bench.contenders.original",
    "powertools": "tests.bench.contenders.powertools",
    "floor": "tests.bench.contenders.floor",
    "bare": "tests.bench.contenders.bare",
}
"""The module of each contender's `lambda_handler`."""


@dataclass(frozen=True)
class Process:
    """A process that answers each line of JSON with another."""

    started: subprocess.Popen[str]

    def ask(self, **arguments: Any) -> Any:
        """Send arguments and return the answer to them."""
        assert self.started.stdin is not None
        assert self.started.stdout is not None
        self.started.stdin.write(json.dumps(arguments) + "\n")
        self.started.stdin.flush()
        return json.loads(self.started.stdout.readline())


@contextmanager
def asked(module: str, *arguments: str, env: dict[str, str] | None = None) -> Iterator[Process]:
    """A module that runs for as long as the block does."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        try:
            yield Process(process)
        finally:
            process.stdin.close()  # what it ends on


def working(contender: str, endpoint: str) -> AbstractContextManager[Process]:
    """A contender that writes to the stand-in at `endpoint`: it is asked what `_run` takes."""
    return asked("tests.bench.worker", MODULES[contender], env=environment(endpoint))


def environment(endpoint: str) -> dict[str, str]:
    """Give what Lambda gives to a function, and nothing of the user's AWS configuration."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
        "AWS_LAMBDA_FUNCTION_NAME": "ProcessOrder",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": endpoint,
        "TABLE_NAME": "Orders",
    }


def main(module: str) -> None:
    """Answer each line of standard input with the seconds that it took."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the handler logs is not for us
    contender = importlib.import_module(module)
    for line in sys.stdin:
        print(json.dumps(_run(contender, **json.loads(line))), file=answers, flush=True)


def _run(contender: Any, batch: int, invocations: int) -> dict[str, float]:
    """Handle so many batches; return the seconds of `wall` time and of `cpu` of all threads."""
    prepare = getattr(contender, "prepare", lambda event: event)
    events = [prepare(sqs_event(new_order() for _ in range(batch))) for _ in range(invocations)]
    wall, cpu = time.perf_counter(), time.process_time()
    results = [contender.lambda_handler(event, LambdaContext()) for event in events]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if failed := [result for result in results if result and result["batchItemFailures"]]:
        raise RuntimeError(f"every order must be written, got {failed[0]}")
    return {"wall": wall, "cpu": cpu}


if __name__ == "__main__":
    main(*sys.argv[1:])
