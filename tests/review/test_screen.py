"""A report is Markdown for GitHub, and a page for a person at a terminal."""

import io

from tests.review.cases import CASES
from tools.review.report import report
from tools.review.screen import show


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_page_without_markup_and_obeys_no_name() -> None:
    out = Terminal()
    show(report(CASES["hostile-names"].review()), out)
    page = out.getvalue()
    assert "UNSAFE: deletes" in page
    marks = ("|---", "<br>", "<details>", "<summary>", "####", "\u202e", "\u0007")
    assert not [mark for mark in marks if mark in page]
