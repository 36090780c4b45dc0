"""The figures in the documents are those of the last measurement."""

import json
from pathlib import Path

import pytest

from bench import report, results
from bench.drawings import DRAWINGS
from recording.graph import ROOT

GENERATED = report.files(results.load())


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_holds_what_was_measured(path: Path) -> None:
    assert path.read_text() == GENERATED[path], "run: make docs"


def test_every_chart_is_shown_and_every_chart_shown_exists() -> None:
    pages = "".join(path.read_text() for path in report.PARTS)
    drawn = {path.stem for path in report.CHARTS.glob("*.svg")}
    assert {name for name in drawn if f"(charts/{name}.svg)" in pages} == drawn == set(DRAWINGS)


def test_another_measurement_gives_other_documents() -> None:
    changed = json.loads(json.dumps(results.load()))
    for row in changed["handler"]["rows"]:
        row["orders_per_second"] += 1
    differing = {path.name for path, text in report.files(changed).items() if text != GENERATED[path]}
    assert {"performance.md", "throughput.svg"} <= differing
