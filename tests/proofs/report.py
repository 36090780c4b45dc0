"""What each proof found: printed, kept as JSON, and written as a page (`python -m tests.proofs.report`)."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tools.terminal import BAD, GOOD, Printer

RESULTS = Path(__file__).resolve().parent / "results.json"
PAGE = RESULTS.parent.parent.parent / "docs" / "reliability.md"
Figure = int | float | str
WIDTH = 66
"""Columns of a figure's name in the printed table."""
INTRODUCTION = """\
# Reliability

Every accepted order ends in the table, in its newest version, exactly once, or in a dead-letter queue with its reason,
whatever fails; and nobody has more permissions than they need. `make reliability` puts that to the test; the figures
here are those of its last run, and `tests/proofs/results.json` holds them for programs. A shorter form of each proof is
in `tests/proofs` and runs with `make test`.
"""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One promise, how it was put to the test, and what came out."""

    promise: str
    test: str
    """How it was tested, in a few sentences."""
    figures: Mapping[str, Figure]
    """What was counted and measured, each with its unit in the name."""
    problems: tuple[str, ...] = ()
    """Every way in which the promise did not hold; none if it held."""
    limits: tuple[str, ...] = ()
    """What the test cannot show, and who says that it holds nevertheless."""


def print_results(results: Mapping[str, Result], printer: Printer) -> None:
    """Print every figure, the verdict on each promise, and each problem."""
    for name, result in results.items():
        printer.line()
        mark, style = ("✘", BAD) if result.problems else ("✔", GOOD)
        printer.line(f"{mark} {name}: {result.promise}", style=style)
        for figure, value in result.figures.items():
            printer.line(f"  {figure:<{WIDTH}}{text(value):>10}")
        for problem in result.problems:
            printer.line(f"  {problem}", style=BAD)


def text(value: Figure) -> str:
    """A figure for a reader: thousands apart, at most three digits behind the point."""
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def write_results(results: Mapping[str, Result], path: Path) -> None:
    """Put the results of a run into the file, in place of earlier ones of the same parts."""
    known = read_results(path)["parts"] if path.exists() else {}
    document = {
        "machine": {
            "cores": os.cpu_count(),
            "memory (GB)": round(psutil.virtual_memory().total / 1e9),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "parts": known | {name: _plain(result) for name, result in results.items()},
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def read_results(path: Path) -> dict[str, Any]:
    """The results as `write_results` left them."""
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def _plain(result: Result) -> dict[str, Any]:
    return {
        "promise": result.promise,
        "held": not result.problems,
        "test": result.test,
        "figures": dict(result.figures),
        "problems": list(result.problems),
        "limits": list(result.limits),
    }


def write_page(results: Path, page: Path) -> None:
    """Write the page of a file of results."""
    page.write_text(render(read_results(results)))


def render(document: Mapping[str, Any]) -> str:
    """The page as Markdown: a table of the promises, then each with its test, its figures and its limits."""
    parts: Mapping[str, Mapping[str, Any]] = document["parts"]
    machine = ", ".join(f"{name} {value}" for name, value in document["machine"].items())
    rows = [
        f"| [{name}](#{name}) | {part['promise']} | {'held' if part['held'] else '**broken**'} |"
        for name, part in parts.items()
    ]
    sections = [_section(name, part) for name, part in parts.items()]
    return "\n".join(
        [INTRODUCTION, f"Measured on: {machine}.\n", "| proof | promise | |", "|---|---|---|", *rows, *sections, ""]
    )


def _section(name: str, part: Mapping[str, Any]) -> str:
    figures = [f"| {figure} | {text(value)} |" for figure, value in part["figures"].items()]
    problems = [f"- **{problem}**" for problem in part["problems"]]
    limits = ["", "What it cannot show:", "", *(f"- {limit}" for limit in part["limits"])] if part["limits"] else []
    lines = ["", f"## {name}", "", f"{part['promise'][0].upper()}{part['promise'][1:]}.", "", part["test"], ""]
    return "\n".join([*lines, "| figure | value |", "|---|---|", *figures, *problems, *limits])


if __name__ == "__main__":
    write_page(RESULTS, PAGE)
