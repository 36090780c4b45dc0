"""The documents lead where they say, and what a reader would paste of the README does what it says."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.contract.test_runbook import anchor
from tests.defaults import BARE
from tools.__main__ import VERBS, cli
from tools.recording.graph import record
from tools.recording.pack import check
from tools.review.allowances import read_allowances
from tools.root import ROOT

README = (ROOT / "README.md").read_text()
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/*.md"))


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^(`{3,}).*?^\1", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    return set(map(anchor, re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)))


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_no_longer_than_one_reads(page: Path) -> None:
    limit = {"README.md": 100, "runbook.md": 500}.get(page.name, 250)
    assert len(page.read_text().splitlines()) <= limit


def spans(page: Path) -> Iterator[list[str]]:
    """What a page's prose sets as code, in words."""
    for text in re.findall(r"`([^`]+)`", prose(page)):
        try:
            yield shlex.split(text)
        except ValueError:  # an apostrophe: no command
            continue


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_in_the_prose_exists_with_its_options(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):.* ## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    verbs = {name.split()[0] for name in VERBS}
    for words in spans(page):
        if words[0] == "make" and len(words) > 1:
            assert words[1] in targets, words
        if words[0] == "./orders" or (words[0] in verbs and len(words) > 1):
            command: click.Command = cli
            rest = [word for word in words if word != "./orders"]
            while isinstance(command, click.Group) and rest:
                _, found, rest = command.resolve_command(click.Context(command, obj={}), rest)
                assert found
                command = found
            command.make_parser(click.Context(command)).parse_args(rest)


def blocks(language: str, page: str = "README.md") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def test_the_configuration_that_the_page_on_policies_prints_fits_the_pack() -> None:
    [text] = blocks("json", "docs/policies.md")
    assert check(record(root=BARE, program=lambda: None), config=json.loads(text)).rules


def test_the_allowance_that_the_page_on_reviewing_prints_is_one() -> None:
    [text] = blocks("json", "docs/reviewing.md")
    [allowance] = read_allowances(text)
    assert allowance.match == "OrderQueue"


def test_the_readmes_program_runs_as_it_is_printed() -> None:
    [text] = blocks("python")
    graph = record(root=BARE, program=lambda: exec(compile(text, "README.md", "exec"), {}))
    assert {resource.name for resource in graph.resources if resource.type == "aws:sqs/queue:Queue"} == {
        "OrderTopic-dlq",
        "OrderQueue",
        "OrderQueue-dlq",
    }
