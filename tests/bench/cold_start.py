"""Measures a cold start: a fresh process that imports the handler, connects, and handles its first message."""

import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from statistics import median
from typing import Any

from components.package import process_order_archive
from tests.bench.performance import NAMES, markdown, ratios
from tests.bench.results import Target, spread
from tests.bench.standin import standing_in
from tests.bench.worker import MODULES, environment
from tools.cloud.resources.functions import archive_bytes
from tools.root import ROOT

CONTENDERS = ("bare", "original", "powertools", "ours")
ROUNDS, QUICK_ROUNDS = 21, 5
# Imported before the clock starts: what Lambda's own runtime has loaded by then, and the event.
PROGRAM = """
import importlib, json, os, sys, time
from tests.bench.events import LambdaContext, new_order, sqs_event
event, answers = sqs_event([new_order()]), os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
wall, cpu = time.perf_counter(), time.process_time()
handler = importlib.import_module(sys.argv[1]).lambda_handler
imported = time.perf_counter()
handler(event, LambdaContext())
ended = time.perf_counter()
spent = {"wall": ended - wall, "cpu": time.process_time() - cpu, "import": imported - wall}
print(json.dumps(spent), file=answers, flush=True)
"""


def measure(*, quick: bool) -> dict[str, Any]:
    """Start every contender in turn, often, and compare it with ours of the same round."""
    starts: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    with standing_in() as standin, tempfile.TemporaryDirectory() as folder:
        code = _unpack(Path(folder))
        for turn in range(1 + (QUICK_ROUNDS if quick else ROUNDS)):
            for name in CONTENDERS:
                spent = _start(name, standin.endpoint, code)
                if turn:  # the first fills the file cache
                    starts[name].append(spent)
    return {
        "rows": [_row(name, own, starts["ours"]) for name, own in starts.items()],
        "archive_bytes": len(archive_bytes(process_order_archive())),
    }


def _row(name: str, own: list[dict[str, float]], ours: list[dict[str, float]]) -> dict[str, Any]:
    pairs = list(zip(ours, own, strict=True))
    return {
        "contender": name,
        **{f"{kind}_ms": round(median(each[kind] for each in own) * 1000, 1) for kind in own[0]},
        "ratio": spread([mine["wall"] / each["wall"] for mine, each in pairs]),
        "cpu_ratio": spread([mine["cpu"] / each["cpu"] for mine, each in pairs]),
    }


def _unpack(folder: Path) -> Path:
    """Lay every handler out as Lambda does: sources without caches of compiled code, which it could not write."""
    with zipfile.ZipFile(io.BytesIO(archive_bytes(process_order_archive()))) as archive:
        archive.extractall(folder)
    for name in CONTENDERS:
        if MODULES[name].startswith("tests.bench."):
            module = Path(*MODULES[name].split(".")).with_suffix(".py")
            shutil.copy(ROOT / module, folder / module.name)
    return folder


def _start(name: str, endpoint: str, code: Path) -> dict[str, float]:
    variables = environment(endpoint)
    variables |= {"PYTHONPATH": f"{code}:{variables['PYTHONPATH'].split(':')[0]}", "PYTHONDONTWRITEBYTECODE": "1"}
    module = MODULES[name].removeprefix("tests.bench.contenders.")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, module], env=variables, capture_output=True, text=True, check=True, timeout=60
    )
    spent: dict[str, float] = json.loads(done.stdout)
    return spent


def table(result: dict[str, Any]) -> str:
    """What each contender took from nothing to its first answer."""
    head = ("handler", "CPU ms", "ms", "of which import and connect", "CPU of ours over it", "time of ours over it")
    rows = [
        (NAMES[row["contender"]], row["cpu_ms"], row["wall_ms"], row["import_ms"], *ratios(row, "cpu_ratio", "ratio"))
        for row in result["rows"]
    ]
    return f"{markdown(head, rows)}\nThe archive has {result['archive_bytes']:,} bytes.\n"


def targets(result: dict[str, Any]) -> list[Target]:
    """What a cold start must reach, by its CPU time: it never waits, so that is its time on an idle machine."""
    ratios = {row["contender"]: row["cpu_ratio"]["median"] for row in result["rows"]}
    return [
        Target("cold start over the bare client", ratios["bare"], at_most=0.25),
        Target("cold start over powertools", ratios["powertools"], at_most=0.25),
    ]
