"""The commands of docs/deploying.md: what a user pastes, section by section, and what the tests can run of it."""

import re

from tools.root import ROOT

PAGE = ROOT / "docs/deploying.md"
_MARK = "<!-- not run by the tests: needs GitHub -->\n\n"
_BLOCK = re.compile(rf"(?P<mark>{re.escape(_MARK)})?^```sh\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str, *, marked: bool = False) -> list[str]:
    """What can be pasted at once; without the blocks that are marked as needing GitHub, or those alone."""
    return [block["text"] for block in _BLOCK.finditer(page) if (block["mark"] is not None) is marked]


def sessions(page: str) -> list[str]:
    """One script for each section that has commands: a terminal of its own, every line where the page has it."""
    lines = page.splitlines()
    run = [""] * len(lines)
    for block in _BLOCK.finditer(page):
        if block["mark"] is None:
            first = page[: block.start("text")].count("\n")
            last = first + block["text"].count("\n")
            run[first:last] = lines[first:last]
    starts = [at for at, line in enumerate(lines) if line.startswith("## ")]
    ends = [*starts[1:], len(lines)]
    whole = ["\n".join([*[""] * start, *run[start:end]]) for start, end in zip(starts, ends, strict=True)]
    return [script for script in whole if script.strip()]
