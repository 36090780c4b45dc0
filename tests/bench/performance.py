"""Writes what was measured into docs/performance.md: no figure is typed by hand."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.results import Target
from tools.recording.pages import filled
from tools.root import ROOT

PAGE = ROOT / "docs" / "performance.md"
PACKAGES = ("boto3", "aws-lambda-powertools")
NAMES = {
    "ours": "ours",
    "original": "original",
    "powertools": "Powertools",
    "floor": "floor",
    "insert_first": "ours, INSERT first",
    "bare": "bare client",
}
"""What each contender is called."""


def write(name: str, targets: Iterable[Target], table: str) -> None:
    """Put the part of a measurement in its place: its targets, what was measured, and where."""
    PAGE.write_text(filled(PAGE.read_text(), name, part(targets, table, source())))


def part(targets: Iterable[Target], table: str, source: str) -> str:
    """Spell the part of one measurement."""
    rows = [(each.name, each.limit, f"{each.value:.2f}", "met" if each.met else "**missed**") for each in targets]
    return f"\n{markdown(('target', 'limit', 'measured', ''), rows)}\n{table}\n<sub>{source}</sub>\n\n"


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Make a table; columns of figures are aligned to the right, those of text to the left."""
    cells = [[str(cell) for cell in row] for row in rows]
    figures = [all(re.match(r"\**\d|$", cell) for cell in column) for column in zip(*cells, strict=True)]
    rule = ["---:" if right else "---" for right in figures]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *cells)) + "\n"


def ratios(row: Mapping[str, Any], *kinds: str) -> list[str]:
    """Spell the ratios of a contender; ours over ours says nothing."""
    if row["contender"] == "ours":
        return [""] * len(kinds)
    return [f"**{row[kind]['median']:.2f}** ({row[kind]['low']:.2f} to {row[kind]['high']:.2f})" for kind in kinds]


def source() -> str:
    """Say where and when something is measured, and with which packages."""
    return ", ".join([machine(), *(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)])


def machine() -> str:
    """Say the day, the machine and its Python."""
    system = f"{os.cpu_count()} cores of {_processor()}, {platform.system()} {platform.machine()}"
    return f"{datetime.now(UTC).date().isoformat()}, {system}, Python {platform.python_version()}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
