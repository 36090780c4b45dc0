"""Foreign text stays text: it opens no tag, cell, heading or link, and calls nobody."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.review.cases import CASES, HOSTILE
from tools.review.markdown import code, name, prose, quoted, table
from tools.review.report import report

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")
OWN = {
    *("h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "br", "strong", "em", "ul", "li", "pre"),
    *("details", "summary"),
}
"""The tags that the report itself makes."""
HOSTILE_TEXT = st.one_of(
    st.sampled_from(HOSTILE), st.text(), st.text(alphabet="`|\\<>@#*_[]()!&;~-=.:/wghWH\n\t aA1\u202e\u200b")
)


class Page(HTMLParser):
    """The tags of a page, and its text outside code."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self._code = 0
        self.feed(PARSER.render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_comment(self, data: str) -> None:
        self.tags.append(f"<!--{data}-->")

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.text += data


MENTIONS = re.compile(r"@\w|#\d|https?:|www\.|\bgh-\d", re.IGNORECASE)
"""What GitHub makes a link of, outside code."""


@given(HOSTILE_TEXT)
def test_whatever_a_text_holds_it_stays_in_its_cell(text: str) -> None:
    page = Page(table(("a", "b"), [(shown(text), "mine") for shown in (name, code, prose)], 20_000))
    tags = [tag for tag in page.tags if tag != "code"]
    assert tags == ["table", "thead", "tr", "th", "th", "tbody", *["tr", "td", "td"] * 3]
    assert page.text.rstrip().endswith("mine")
    assert not MENTIONS.search(page.text)


@given(HOSTILE_TEXT)
@example(HOSTILE[3])
def test_whatever_a_message_holds_it_stays_in_its_block(text: str) -> None:
    page = Page(f"{quoted(text)}\n\nmine")
    assert page.tags == ["pre", "code", "p"]
    assert page.text.strip() == "mine"


@pytest.mark.parametrize("case", ["hostile-names", "failed", "first-deployment"])
def test_a_report_holds_only_its_own_tags_and_calls_nobody(case: str) -> None:
    page = Page(report(CASES[case].review()))
    assert set(page.tags) <= OWN
    assert not MENTIONS.search(page.text)


def test_a_table_that_is_too_long_says_how_much_it_leaves_out() -> None:
    rows = [("x" * 100, str(index)) for index in range(100)]
    text = table(("a", "b"), rows, 2000)
    assert len(text.encode()) <= 2000
    shown = text.count("x" * 100)
    assert f"{100 - shown} more" in text
