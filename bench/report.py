"""Writes docs/performance.md, docs/scaling.md and their charts from the results: no figure is typed by hand."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import results, tables
from bench.drawings import DRAWINGS
from recording.graph import ROOT

CHARTS = ROOT / "docs" / "charts"
Results = Mapping[str, Any]

PARTS: dict[Path, dict[str, Callable[[Results], str]]] = {
    ROOT / "docs" / "performance.md": {
        "targets": tables.targets_part,
        "handler": tables.handler_part,
        "existing orders": tables.existing_part,
        "stand-in": tables.standin_part,
        "cold start": tables.cold_start_part,
        "pipeline": tables.pipeline_part,
        "program": tables.program_part,
        "cost": tables.cost_part,
    },
    ROOT / "docs" / "scaling.md": {
        "advice": tables.advice_part,
        "simulation": tables.scale_part,
        "check": tables.check_part,
        "limits": tables.limits_part,
    },
}
"""What is generated of each page, by the name of its place."""


def write(measured: Results) -> None:
    """Write every page and chart anew."""
    for path, text in files(measured).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def files(measured: Results) -> dict[Path, str]:
    """Every generated file as it should be, by path. Raises ValueError if a page has no place for a part."""
    texts = {CHARTS / f"{name}.svg": draw(measured) for name, draw in DRAWINGS.items()}
    for path, parts in PARTS.items():
        text = path.read_text()
        for name, part in parts.items():
            text = _fill(text, name, part(measured))
        texts[path] = text
    return texts


def _fill(text: str, name: str, part: str) -> str:
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    text, places = pattern.subn(lambda _: part, text)
    if places != 1:
        raise ValueError(f"the page must hold {begin} and {end} once, got {places} places")
    return text


if __name__ == "__main__":
    write(results.load())
