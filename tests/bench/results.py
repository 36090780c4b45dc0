"""Targets, and where their figures are written: docs/performance.md has none that was typed by hand."""

import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.recording.pages import filled
from tools.root import ROOT

PAGE = ROOT / "docs" / "performance.md"


@dataclass(frozen=True)
class Target:
    """A figure that must be reached."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        """Whether the value lies within the limit."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    @property
    def limit(self) -> str:
        """The limit in words."""
        return f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"


def write(targets: Iterable[Target], tables: Iterable[str]) -> None:
    """Write what was measured into its place: targets, tables, and where."""
    rows = [(each.name, each.limit, f"{each.value:.2f}", "met" if each.met else "**missed**") for each in targets]
    part = "\n".join([markdown(("target", "limit", "measured", ""), rows), *tables, f"<sub>{machine()}</sub>"])
    PAGE.write_text(filled(PAGE.read_text(), "figures", f"\n{part}\n\n"))


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Make a table; columns of figures are aligned to the right, those of text to the left."""
    cells = [[str(cell) for cell in row] for row in rows]
    figures = [all(re.match(r"\**\d|$", cell) for cell in column) for column in zip(*cells, strict=True)]
    rule = ["---:" if right else "---" for right in figures]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *cells)) + "\n"


def machine() -> str:
    """Say the day, the machine and its Python."""
    system = f"{os.cpu_count()} cores of {_processor()}, {platform.system()} {platform.machine()}"
    return f"{datetime.now(UTC).date().isoformat()}, {system}, Python {platform.python_version()}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
