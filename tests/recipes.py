"""The recipes of docs/changing.md and docs/more-changes.md, applied to a copy of the project."""

import re
from pathlib import Path
from typing import NamedTuple

from tools.root import ROOT

PAGE = "".join((ROOT / "docs" / name).read_text() for name in ("changing.md", "more-changes.md"))
_EDIT = re.compile(
    r"^(?:In `(?P<old>[^`]+)`, (?P<where>above|below|in place of) `(?P<line>.+?)`|A new file `(?P<new>[^`]+)`):\n\n"
    r"(?P<fence>`{3,4})\w*\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


class Edit(NamedTuple):
    """One change of a file."""

    file: str
    text: str
    where: str
    """`above`, `below` or `in place of` the line; empty for a new file."""
    line: str
    """How the line begins, apart from its indentation."""

    def apply(self, root: Path) -> None:
        """Change the file in a copy of the project; AssertionError if the place is not there exactly once."""
        path = root / self.file
        if not self.where:
            assert not path.exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text)
            return
        lines = path.read_text().splitlines(keepends=True)
        found = [number for number, line in enumerate(lines) if line.strip().startswith(self.line)]
        assert len(found) == 1, f"{self.file} must hold the line {self.line!r} once, got {len(found)}"
        kept = {"above": ["", lines[found[0]]], "below": [lines[found[0]], ""], "in place of": [""]}[self.where]
        lines[found[0]] = self.text.join(kept) if len(kept) == 2 else self.text
        path.write_text("".join(lines))


def recipe(heading: str) -> list[Edit]:
    """The edits under a heading."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    [text] = [part for part in section if part.startswith(f"{heading}\n")]
    return [Edit(m["old"] or m["new"], m["text"], m["where"] or "", m["line"] or "") for m in _EDIT.finditer(text)]
