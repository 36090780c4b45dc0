"""A report is Markdown for GitHub, and a page for a person at a terminal."""

import io

from tests.review.cases import CASES
from tools.review.report import report
from tools.review.screen import show

TEXT = report(CASES["queue-renamed"].review())


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_page_without_markup() -> None:
    out = Terminal()
    show(TEXT, out)
    page = out.getvalue()
    assert "UNSAFE (5 findings): deletes OrderQueue" in page
    assert "OrderQueue-redrive-allow" in page
    assert not [mark for mark in ("|---", "<br>", "<details>", "</summary>", "####") if mark in page]


def test_a_terminal_obeys_no_name() -> None:
    out = Terminal()
    show(report(CASES["hostile-names"].review()), out)
    assert "\u202e" not in out.getvalue()
    assert "\u0007" not in out.getvalue()
