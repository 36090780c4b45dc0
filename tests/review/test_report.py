"""The report says in one sentence what a change does, and all of it fits a comment."""

import io
import json
from dataclasses import replace

import pytest

from tests.review.cases import CASES, MANY, finding
from tools.review.report import LIMIT, headline, report
from tools.review.screen import show
from tools.review.trial import NOT_ASKED, Trial


@pytest.mark.parametrize("name", CASES)
def test_a_preview_gets_the_headline_that_says_what_it_does_and_passes_unless_that_is_a_no(name: str) -> None:
    review = CASES[name].review()
    assert headline(review) == CASES[name].says
    assert review.passes is not CASES[name].says.startswith("❌")
    assert len(report(review).encode()) < LIMIT


def test_a_report_fits_a_comment_whatever_is_in_it() -> None:
    noise = "@#`<>&" * 1000
    exempt = [finding("exempt", "rule", f"{index} {noise}") for index in range(50)]
    reports = [{"mode": "update", "findings": exempt}]
    case = replace(MANY, log=noise, failed=True, reports=json.dumps(reports))
    text = report(case.review())
    assert case.says in text
    assert len(text.encode()) < LIMIT - 100
    assert "left out" in text


def test_a_change_that_was_not_tried_is_never_called_safe() -> None:
    case = CASES["first-deployment"]
    review = replace(case, trial=NOT_ASKED).review()
    assert headline(review) == "⚠️ LOOK: not rehearsed; 38 creations"
    assert "Not rehearsed: nobody asked" in report(review)
    slow = Trial(said="all stored", noticed=("a batch takes 2 s",))
    assert headline(replace(case, trial=slow).review()) == "⚠️ LOOK: a batch takes 2 s; 38 creations"


def test_orders_that_a_rehearsal_has_lost_come_first_and_can_be_allowed_by_name() -> None:
    lost = Trial(said="96 orders published", lost=("after the change 0 of 32 orders are stored",))
    review = replace(CASES["queue-renamed"], trial=lost).review()
    assert headline(review) == "❌ UNSAFE (6 findings): after the change 0 of 32 orders are stored"
    entry = {"match": "rehearsal", "change": "orders", "reason": "meant", "expires": "2026-06-01"}
    allowed = replace(CASES["first-deployment"], trial=lost, allowances=json.dumps([entry])).review()
    assert headline(allowed).startswith("⚠️ LOOK: allowed: after the change 0 of 32 orders are stored")


def test_a_terminal_gets_a_page_without_markup_and_obeys_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: True)
    for name in ("hostile-names", "first-deployment"):
        show(report(CASES[name].review()), out)
    page = out.getvalue()
    assert "UNSAFE: deletes" in page
    assert "38 new" in page  # a heading that a reader of a comment opens
    marks = ("|---", "<br>", "<details>", "<summary>", "####", "\u202e", "\u0007")
    assert not [mark for mark in marks if mark in page]
