"""The commands of docs/deploying.md: its console blocks, and of each whether the tests can run it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.root import ROOT

PAGE = ROOT / "docs/deploying.md"
MARK = re.compile(r"<!-- not run by the tests: needs (\w+) -->\n\n$")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of the page."""

    text: str
    """What a user types, over several lines if it is continued."""
    line: int
    needs: str | None
    """What the tests do not have and it needs; None if they run it."""


def commands(page: str) -> Iterator[Command]:
    """Every command of a page, in its order. Raises ValueError at a line of a block that is neither `$` nor `>`."""
    for block in BLOCK.finditer(page):
        mark = MARK.search(page[: block.start()])
        first = page[: block.start(1)].count("\n") + 1
        found: list[Command] = []
        for line, written in enumerate(block[1].splitlines(), first):
            prompt, text = written[:2], written[2:]
            if prompt == "$ ":
                found.append(Command(text=text, line=line, needs=mark[1] if mark else None))
            elif prompt == "> " and found:
                found[-1] = Command(text=f"{found[-1].text}\n{text}", line=found[-1].line, needs=found[-1].needs)
            else:
                raise ValueError(f"line {line} of a console block must begin with `$ ` or `> `, got {written}")
        yield from found
