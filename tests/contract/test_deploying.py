"""The page on deploying can be run: its blocks hold commands alone, and what the tests cannot run is marked."""

from collections import Counter

import pytest

from tests.contract.deploying import PAGE, commands


def test_every_command_of_the_page_is_run_or_marked_with_what_it_needs() -> None:
    found = list(commands(PAGE.read_text()))
    assert Counter(command.needs for command in found if command.needs) == {"GitHub": 1}
    assert not [command for command in found if command.needs is None and command.text.startswith("gh ")]


def test_a_command_goes_on_over_lines_and_a_mark_holds_for_its_block() -> None:
    page = "```console\n$ a \\\n>   b\n```\n\n<!-- not run by the tests: needs GitHub -->\n\n```console\n$ gh c\n```\n"
    assert [(each.text, each.line, each.needs) for each in commands(page)] == [
        ("a \\\n  b", 2, None),
        ("gh c", 9, "GitHub"),
    ]


def test_a_block_with_something_else_than_commands_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2 of a console block must begin with"):
        list(commands("```console\noutput\n```\n"))


def test_the_page_deletes_no_stack_file_and_runs_the_operators_commands_in_their_environment() -> None:
    texts = [command.text for command in commands(PAGE.read_text())]
    removals = [text for text in texts if "stack rm" in text]
    operations = [text for text in texts if "./orders" in text]
    assert removals
    assert operations
    assert all("--preserve-config" in text for text in removals)
    assert all(text.startswith("./orders") for text in operations)
