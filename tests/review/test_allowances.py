"""The file of allowed changes is read whole, and every problem in it is told at once."""

import re
from dataclasses import replace

import pytest

from tests.review.cases import CASES
from tools.review.allowances import read_allowances
from tools.review.report import report

WHOLE = '[{"match": "OrderQueue", "change": "delete", "reason": " drained\\n on Monday ", "expires": "2026-06-01"}]'


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"OrderQueue"', '"*"', "match must be a name or URN"),
        ('"delete"', '""', "change must be delete"),
        ('" drained\\n on Monday "', '" "', "reason must say why"),
        ('"2026-06-01"', '"soon"', "expires must be a date"),
        ('"reason"', '"because"', "must not have because"),
    ],
)
def test_an_incomplete_entry_is_refused(old: str, new: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"entry 1 .*{problem}"):
        read_allowances(WHOLE.replace(old, new))


def test_a_file_of_another_shape_is_refused_and_all_problems_are_told_at_once() -> None:
    for text in ("", "{}", "[7]"):
        with pytest.raises(ValueError, match=r"allowed-changes\.json.* must be"):
            read_allowances(text)
    with pytest.raises(ValueError, match=r"entry 1 .*entry 2 "):
        read_allowances('[{"match": "a"}, {"change": "delete"}]')


@pytest.mark.parametrize("name", ["queue-renamed", "hostile-names"])
def test_the_entries_that_a_report_proposes_allow_what_it_names(name: str) -> None:
    text = report(CASES[name].review())
    proposed = re.search(r"```json\n(.*?)\n```", text, re.DOTALL)
    assert proposed
    allowed = replace(CASES[name], allowances=proposed[1]).review()
    assert allowed.passes
    assert not allowed.safety.idle
