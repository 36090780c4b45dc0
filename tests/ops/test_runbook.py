"""The commands of the runbook do what it says: each is run against a stack in the state that it is for."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.cloud import QUEUE, TOPIC, Command, empty, item, order, send, wait_for
from tools.cloud.deployment import Deployment
from tools.root import ROOT

PAGE = (ROOT / "docs/runbook.md").read_text()
PRACTICE = re.search(r"^## Practise\n((?:(?!^## ).*\n)*)", PAGE, re.MULTILINE)
IN_PRACTICE = re.compile(r"publish --no-check|^local ")
"""Commands that only the practice runs, in a shell."""
OPS = [c for c in re.findall(r"^\$ ./orders (.+)$", PAGE, re.MULTILINE) if not IN_PRACTICE.search(c)]


@pytest.fixture
def prepared(own: tuple[Deployment, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A stack with dead letters of every kind, in a folder with the files that the runbook speaks of."""
    deployment, path = own
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r"[\w-]+\.jsonl?", " ".join(OPS)):
        Path(name).write_text(json.dumps(order()) + "\n")
    send(deployment, QUEUE, order(orderId="O1234"), order(orderId="O-bad", timestamp="2025-01-01T00:00:00Z"), order())
    send(deployment, TOPIC, order())
    yield str(path)
    empty(deployment)


@pytest.mark.parametrize("line", dict.fromkeys(OPS))
def test_a_command_of_the_runbook_answers(line: str, prepared: str, command: Command) -> None:
    words = shlex.split(line)
    for file in words:  # what is written must not be there
        if {"export", "--save"} & set(words):
            Path(file).unlink(missing_ok=True)
    for file in {"dead-letters.jsonl", "bad.jsonl"} & set(words):
        if "export" not in words:
            Path(file).unlink()
            assert command("dlq", "export", file, "--outputs", prepared).status == 0
    quick = ["--wait", "1s"] if words[0] == "verify" else []
    done = command(*[word for word in words if word != "--watch"], *quick, "--outputs", prepared)
    told = done.out + done.err
    assert done.status in (0, 1), told
    assert done.status == 0 or words[0] in ("status", "verify", "trace"), told


def test_practising_ends_with_the_corrected_order_in_the_table(own: tuple[Deployment, Path], tmp_path: Path) -> None:
    """Run in a shell as an operator does; in this cloud a message is a dead letter after one receive."""
    assert PRACTICE
    deployment, path = own
    warm = order()  # on a busy machine a cold start takes longer than the one receive that a message has
    send(deployment, "queueUrl", warm)
    wait_for(lambda: item(deployment, warm["orderId"]), "storing the first order")
    empty(deployment)
    (tmp_path / "orders.json").symlink_to(path)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment["ORDERS_OUTPUTS"] = "orders.json"
    told: list[str] = []
    lines = re.findall(r"^\$ ((?:./orders|echo|eval) .+)$", PRACTICE[1], re.MULTILINE)
    for line in [line for line in lines if " local " not in line]:
        deadline, typed = time.monotonic() + 60, line.replace("./orders", str(ROOT / "orders"))
        while True:
            done = subprocess.run(typed, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
            if done.returncode == 0 or "dlq show" not in line or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        told.append(f"{line}: {done.stdout}{done.stderr}")
        assert done.returncode in ((0, 1) if re.search("trace|status", line) else (0,)), "\n".join(told)
    traced = next(text for text in reversed(told) if "trace O-bad" in text)
    assert "O-bad is stored: new, 1 x Lamp" in traced
    assert "no dead letter holds it" in traced
    assert sum("1 of 1 messages were taken" in text for text in told) == 1
