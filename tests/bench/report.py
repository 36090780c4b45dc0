"""Writes docs/performance.md and docs/scaling.md from the results: no figure is typed by hand."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.bench import results, tables
from tools.recording.pages import filled
from tools.root import ROOT

Results = Mapping[str, Any]

PARTS: dict[Path, dict[str, Callable[[Results], str]]] = {
    ROOT / "docs" / "performance.md": {
        "targets": tables.targets_part,
        "handler": tables.handler_part,
        "existing orders": tables.existing_part,
        "alone": tables.alone_part,
        "own work": tables.own_work_part,
        "streams": tables.streams_part,
        "stand-in": tables.standin_part,
        "cold start": tables.cold_start_part,
        "pipeline": tables.pipeline_part,
        "program": tables.program_part,
        "operations": tables.operations_part,
        "cost": tables.cost_part,
    },
    ROOT / "docs" / "scaling.md": {
        "advice": tables.advice_part,
        "burst": tables.burst_part,
        "simulation": tables.scale_part,
        "check": tables.check_part,
        "limits": tables.limits_part,
    },
}
"""What is generated of each page, by the name of its place."""


def write(measured: Results) -> None:
    """Write every page."""
    for path, text in files(measured).items():
        path.write_text(text)


def files(measured: Results) -> dict[Path, str]:
    """Every page as it should be, by path. Raises ValueError if a page has no place for a part."""
    texts = {}
    for path, parts in PARTS.items():
        text = path.read_text()
        for name, part in parts.items():
            text = filled(text, name, part(measured))
        texts[path] = text
    return texts


if __name__ == "__main__":
    write(results.load())
