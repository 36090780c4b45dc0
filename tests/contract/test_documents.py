"""The documents lead where they say, and what a reader would paste of the README does what it says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.process_order.orders import parse
from tests.defaults import BARE
from tools.recording.graph import record
from tools.root import ROOT

README = (ROOT / "README.md").read_text()
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/*.md"))


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^(`{3,}).*?^\1", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> Iterator[str]:
    """What a page links to within the project."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    yield from (target for target in targets if not target.startswith(("https://", "http://")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen and page.suffix == ".md":
            seen.add(page)
            waiting += [(page.parent / target.partition("#")[0]).resolve() for target in links(page)]
    assert set(PAGES) <= seen


def test_the_readme_fits_on_its_screens() -> None:
    assert len(README.splitlines()) <= 100


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_readmes_program_runs_as_it_is_printed() -> None:
    [text] = blocks("python")
    graph = record(root=BARE, program=lambda: exec(compile(text, "README.md", "exec"), {}))
    assert {resource.name for resource in graph.resources if resource.type == "aws:sqs/queue:Queue"} == {
        "OrderTopic-dlq",
        "OrderQueue",
        "OrderQueue-dlq",
    }


def test_the_readmes_event_keeps_the_contract() -> None:
    [text] = blocks("json")
    assert parse(text).order_id == "O1234"
