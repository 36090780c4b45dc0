"""The commands of the runbook do what it says: each is run against a stack in the state that it is for."""

import io
import json
import re
import shlex
import subprocess
import sys
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
KINDS = {tuple(word for word in c.split() if word.isalpha() or word.startswith("-")): c for c in OPS}
"""By verb and options: one of those that differ in values alone."""


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


@pytest.mark.parametrize("line", KINDS.values())
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


def test_practising_ends_with_the_corrected_order_in_the_table(
    own: tuple[Deployment, Path], tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this cloud a message is a dead letter after one receive."""
    assert PRACTICE
    deployment, path = own
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORDERS_OUTPUTS", str(path))
    warm = order()  # on a busy machine a cold start takes longer than the one receive that a message has
    send(deployment, "queueUrl", warm)
    wait_for(lambda: item(deployment, warm["orderId"]), "storing the first order")
    empty(deployment)
    told: list[str] = []
    for line in re.findall(r"^\$ ((?:./orders (?!local)|echo).+)$", PRACTICE[1], re.MULTILINE):
        shell, _, orders = line.partition("./orders ")
        if shell:
            piped = subprocess.run(shell.rstrip("| "), shell=True, capture_output=True, check=True).stdout
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped)))
        if not orders:
            continue
        words = shlex.split(orders)
        done = command(*words)
        while done.status and words[:2] == ["dlq", "show"]:  # until it is a dead letter
            done = command(*words)
        told.append(f"{line}: {done.out}{done.err}")
        assert done.status in ((0, 1) if words[0] in ("trace", "status") else (0,)), told
    traced = next(text for text in reversed(told) if "trace O-bad" in text)
    assert "O-bad is stored: new, 1 x Lamp" in traced
    assert "no dead letter holds it" in traced
    assert "1 of 1 messages were taken" in told[-1]
