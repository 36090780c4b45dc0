"""The commands of the runbook do what it says: each is run against a stack in the state that it is for."""

import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ops.cloud import QUEUE, TOPIC, Command, hurried, order, send, visible, wait_for
from tools.cloud.deployment import Deployment
from tools.root import ROOT

PAGE = (ROOT / "docs/runbook.md").read_text()
PRACTICE = PAGE.partition("\n## Practise\n")[2].partition("\n## ")[0]


def kinds(text: str) -> dict[tuple[str, ...], str]:
    """By verb and options: one of the commands of a text that differ in values alone."""
    lines = re.findall(r"^\$ ./orders (.+)$", text, re.MULTILINE)
    return {tuple(re.findall(r"^dlq \w+|^\w+| -\S+", line)): line for line in lines}


NOT_PRACTISED = [line for kind, line in kinds(PAGE).items() if kind not in kinds(PRACTICE)]


@pytest.fixture
def prepared(letters: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack with dead letters of every kind in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    send(letters, QUEUE, order(orderId="O1234"), order(orderId="O-bad", timestamp="2025-01-01T00:00:00Z"), order())
    send(letters, TOPIC, order())


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("line", NOT_PRACTISED)
def test_a_command_of_the_runbook_answers(line: str, operate: Command) -> None:
    words = shlex.split(line)
    for file in (word for word in words if ".json" in word):
        if words[0] == "dlq":
            assert operate("dlq", "export", file).status == 0
        else:
            Path(file).write_text(json.dumps(order()))
    quick = ["--wait", "1s"] if words[0] == "verify" else []
    done = operate(*[word for word in words if word != "--watch"], *quick)
    plan = words[:2] == ["dlq", "redrive"] and "--yes" not in words
    allowed = (0, 1) if words[0] in ("status", "verify") else (0, 2) if plan else (0,)
    assert done.status in allowed, done.out + done.err


def test_practising_ends_with_the_corrected_order_in_the_table(
    letters: Deployment, tmp_path: Path, operate: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    with hurried(letters):
        for line in re.findall(r"^\$ ((?:./orders (?!local)|echo).+)$", PRACTICE, re.MULTILINE):
            shell, _, orders = line.partition("./orders ")
            if shell:
                piped = subprocess.run(shell.rstrip("| "), shell=True, capture_output=True, check=True).stdout
                monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped)))
            if not orders:
                continue
            words = shlex.split(orders)
            if words[:2] == ["dlq", "show"]:
                wait_for(lambda: visible(letters, QUEUE), "the message becoming a dead letter")
            done = operate(*words)
            told.append(f"{line}: {done.out}{done.err}")
            assert done.status in ((0, 1) if words[0] in ("trace", "status", "verify") else (0,)), told
    assert "50 of 50 orders stored" in told[1]
    traced = next(text for text in reversed(told) if "trace O-bad" in text)
    assert "O-bad is stored: new, 1 x Lamp" in traced
    assert "no dead letter holds it" in traced
    assert "1 of 1 messages were taken" in told[-1]
