"""Runs one contender in a process of its own, as Lambda would: warm, one invocation after the other."""

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.events import new_order
from tests.fakes.events import Context, sqs_event
from tools.root import ROOT

Worker = Callable[..., dict[str, float]]
"""Is asked what `_run` takes, and answers what that returns."""


@dataclass(frozen=True)
class LambdaContext(Context):
    """What handlers read of Lambda's context."""

    function_name: str = "ProcessOrder"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:ProcessOrder"


@contextmanager
def working(contender: str, endpoint: str) -> Iterator[Worker]:
    """A contender that writes to the stand-in at `endpoint`, for as long as the block runs."""
    module = "process_order.lambda_function" if contender == "ours" else f"tests.bench.contenders.{contender}"
    command = [sys.executable, "-m", "tests.bench.worker", module]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(endpoint), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        answers: Any = process.stdout

        def ask(**arguments: int) -> dict[str, float]:
            print(json.dumps(arguments), file=process.stdin, flush=True)
            return dict(json.loads(answers.readline()))

        yield ask


def environment(endpoint: str) -> dict[str, str]:
    """Give what Lambda gives to a function, and nothing of the user's AWS configuration."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
        "AWS_LAMBDA_FUNCTION_NAME": "ProcessOrder",
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
    events = [prepare(sqs_event(*(new_order() for _ in range(batch)))) for _ in range(invocations)]
    wall, cpu = time.perf_counter(), time.process_time()
    results = [contender.lambda_handler(event, LambdaContext()) for event in events]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if failed := [result for result in results if result and result["batchItemFailures"]]:
        raise RuntimeError(f"every order must be written, got {failed[0]}")
    return {"wall": wall, "cpu": cpu}


if __name__ == "__main__":
    main(*sys.argv[1:])
