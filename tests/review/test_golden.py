"""Every case gives the report that lies in `golden/`; `UPDATE_GOLDEN=1` writes them anew, to be read by eye."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.review.cases import CASES
from tools.review.report import LIMIT, report

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", CASES)
def test_a_preview_gives_the_report_that_was_read_by_eye(name: str) -> None:
    case = CASES[name]
    text = f"<!-- The preview was {case.source}. -->\n{report(case.review())}"
    path = GOLDEN / f"{name}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", CASES)
def test_only_a_change_that_nothing_speaks_against_passes(name: str) -> None:
    assert CASES[name].review().passes is CASES[name].passes


@pytest.mark.parametrize("name", CASES)
def test_every_report_fits_a_comment(name: str) -> None:
    assert len(report(CASES[name].review()).encode()) < LIMIT


def test_a_report_fits_a_comment_whatever_is_in_it() -> None:
    noise = "@#`<>&" * 1000
    reports = [
        {"mode": "update", "violations": [], "exempt": [f"{index} {noise}" for index in range(50)], "waiting": []}
    ]
    case = replace(CASES["five-hundred-resources"], log=noise, failed=True, reports=json.dumps(reports))
    text = report(case.review())
    assert len(text.encode()) < LIMIT - 100
    assert "left out" in text


def test_every_golden_report_belongs_to_a_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == CASES.keys()
