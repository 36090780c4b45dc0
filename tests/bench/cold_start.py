"""Measures a cold start: a fresh process that imports the handler, connects, and handles its first message."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import psutil

from components.package import PROCESS_ORDER
from tests.bench.events import new_order
from tests.bench.results import Target, markdown
from tests.bench.standin import standing_in
from tests.bench.worker import environment
from tests.fakes.events import sqs_event
from tools.root import ROOT

CONTENDERS = {"bare": "bare client", "original": "original", "powertools": "Powertools", "ours": "ours"}
STARTS, QUICK_STARTS = 15, 5
# Before the clock starts comes what Lambda's own runtime has loaded by then, and the event.
PROGRAM = """
import awslambdaric.bootstrap, importlib, json, os, sys, time
class Context:
    function_name, memory_limit_in_mb, invoked_function_arn, aws_request_id = "ProcessOrder", 512, "arn", "request-1"
    def get_remaining_time_in_millis(self):
        return 300_000
event, answers = json.loads(sys.argv[2]), os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
cpu = time.process_time()
handler = importlib.import_module(sys.argv[1]).lambda_handler
handler(event, Context())
spent = {"cpu": time.process_time() - cpu}
import ssl
trust = ssl.create_default_context()  # what every process has that speaks to AWS
print(json.dumps(spent), file=answers, flush=True)
sys.stdin.read()
"""

Starts = dict[str, list[dict[str, float]]]
"""By contender, the seconds of `cpu` of each start and the megabytes of `memory` after it."""


def measure(*, quick: bool) -> Starts:
    """Start every contender in turn, often."""
    starts: Starts = {name: [] for name in CONTENDERS}
    with standing_in() as (_, endpoint), tempfile.TemporaryDirectory() as folder:
        code = _unpack(Path(folder))
        for turn in range(1 + (QUICK_STARTS if quick else STARTS)):
            for name, found in starts.items():
                spent = _start(name, endpoint, code)
                if turn:  # the first fills the file cache
                    found.append(spent)
    return starts


def _unpack(folder: Path) -> Path:
    """Lay every handler out as Lambda does: sources without caches of compiled code, which it could not write."""
    (folder / "process_order").mkdir()
    for name in PROCESS_ORDER:
        shutil.copy(ROOT / "functions/process_order" / name, folder / "process_order")
    for name in CONTENDERS.keys() - {"ours"}:
        shutil.copy(ROOT / "tests/bench/contenders" / f"{name}.py", folder)
    return folder


def _start(name: str, endpoint: str, code: Path) -> dict[str, float]:
    variables = environment(endpoint)
    variables |= {"PYTHONPATH": f"{code}:{variables['PYTHONPATH'].split(':')[0]}", "PYTHONDONTWRITEBYTECODE": "1"}
    module = "process_order.lambda_function" if name == "ours" else name
    command = [sys.executable, "-c", PROGRAM, module, json.dumps(sqs_event(new_order()))]
    with subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        spent: dict[str, float] = json.loads(process.stdout.readline())
        spent["memory"] = psutil.Process(process.pid).memory_info().rss / 1e6
    return spent


def table(starts: Starts) -> str:
    """What each contender took from nothing to its first answer."""
    rows = [
        (label, *(f"{median(each[kind] for each in starts[name]) * factor:.0f}" for name in CONTENDERS))
        for label, kind, factor in (("CPU, ms", "cpu", 1000), ("resident memory, MB", "memory", 1))
    ]
    return markdown(("cold start", *CONTENDERS.values()), rows)


def targets(starts: Starts) -> list[Target]:
    """What a start must reach; it never waits, so its CPU time is its time on an idle machine."""
    over = median(ours["cpu"] / bare["cpu"] for ours, bare in zip(starts["ours"], starts["bare"], strict=True))
    return [
        Target("cold start over the bare client, CPU", over, at_most=0.25),
        Target("resident memory, MB", median(each["memory"] for each in starts["ours"]), at_most=32),
    ]
