"""Every command prints whole words, within a narrow terminal."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.cloud import QUEUE, bodies, empty, order, send, wait_for
from tests.unit.test_terminal import Terminal, plain
from tools.__main__ import main
from tools.cloud.deployment import Deployment
from tools.terminal import cells

BAD = order(orderId="B-00000000-1111-2222-3333-444444444444", quantity=True, itemName="x" * 30 + " 無線マウス " * 20)
WIDTH = 60
LONG = 8
"""Letters of a word that does not change from one look to the next, as an age does."""
LINES = [
    "status",
    f"trace {BAD['orderId']}",
    "dlq list",
    f"dlq show {BAD['orderId']}",
    "dlq redrive --dry-run",
    "help",
]


@pytest.fixture(scope="module")
def letters(own: tuple[Deployment, Path]) -> Iterator[str]:
    """A stack with dead letters that have something to tell, and a rejected message in its log."""
    deployment, path = own
    empty(deployment)
    send(deployment, "queueUrl", {**BAD, "timestamp": "2025-05-03"})
    send(deployment, QUEUE, BAD, order(), note="a text of some length, sent at 2025-05-03T12:00:00Z")
    wait_for(lambda: len(bodies(deployment, QUEUE)) == 3, "the rejected message becoming a dead letter")
    yield str(path)
    empty(deployment)


@pytest.mark.parametrize("line", LINES)
def test_a_command_prints_whole_words(line: str, letters: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [*line.split(), *([] if line.startswith("help") else ["--outputs", letters])]

    def shown(out: io.StringIO) -> io.StringIO:
        monkeypatch.setattr(sys, "stdout", out)
        main(words)
        return out

    whole = set(shown(io.StringIO()).getvalue().split())
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    lines = plain(shown(Terminal()))
    assert [line for line in lines if cells(line) > WIDTH and len(line.split()) > 1] == []
    long = {word for line in lines for word in line.split() if len(word) >= LONG and not word.endswith("…")}
    assert long
    assert long <= whole
