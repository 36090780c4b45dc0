"""The figures in the documents are those of the last measurement."""

import json
import re

from tests.bench import report, results


def test_another_measurement_gives_other_documents() -> None:
    generated = report.files(results.load())
    changed = json.loads(json.dumps(results.load()))
    for row in changed["handler"]["rows"]:
        row["orders_per_second"] += 1
    differing = {path.name for path, text in report.files(changed).items() if text != generated[path]}
    assert "performance.md" in differing


def test_every_generated_part_of_a_page_is_one_that_the_report_writes() -> None:
    for path, parts in report.PARTS.items():
        assert sorted(re.findall(r"^<!-- end of (.*) -->$", path.read_text(), re.MULTILINE)) == sorted(parts)


def test_the_chart_of_the_burst_rises_as_far_as_its_table_says() -> None:
    known = results.load()
    page = next(text for path, text in report.files(known).items() if path.name == "scaling.md")
    lines = [json.loads(points) for points in re.findall(r"^  line (.*)$", page, re.MULTILINE)]
    for row, points in zip(known["scale"]["rows"][-2:], lines, strict=True):
        assert (max(points), points[-1]) == (row["waiting"], 0)
