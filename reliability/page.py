"""Writes docs/reliability.md from the results of the last run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reliability.report import PAGE, RESULTS, read_results, text

INTRODUCTION = """\
# Reliability

Every accepted order ends in the table, in its newest version, exactly once, or in a dead-letter queue with its reason,
whatever fails; and nobody has more permissions than they need. `make reliability` puts that to the test; the figures
here are those of its last run, and `reliability/results.json` holds them for programs. A shorter form of each proof is
in `tests/reliability` and runs with `make test`.
"""


def write_page(results: Path, page: Path) -> None:
    """Write the page of a file of results."""
    page.parent.mkdir(exist_ok=True)
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
