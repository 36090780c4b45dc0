"""The figures in the documents are those of the last measurement."""

import json

from bench import report, results
from bench.drawings import DRAWINGS


def test_every_chart_is_shown_and_every_chart_shown_exists() -> None:
    pages = "".join(path.read_text() for path in report.PARTS)
    drawn = {path.stem for path in report.CHARTS.glob("*.svg")}
    assert {name for name in drawn if f"(charts/{name}.svg)" in pages} == drawn == set(DRAWINGS)


def test_another_measurement_gives_other_documents() -> None:
    generated = report.files(results.load())
    changed = json.loads(json.dumps(results.load()))
    for row in changed["handler"]["rows"]:
        row["orders_per_second"] += 1
    differing = {path.name for path, text in report.files(changed).items() if text != generated[path]}
    assert {"performance.md", "throughput.svg"} <= differing
