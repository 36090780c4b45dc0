"""Markdown for GitHub in which foreign text is only ever text: no markup, mention or link comes out of it."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 -]*[A-Za-z0-9])?")
_SIMPLE = re.compile(r"[^`|\\\s](?:[^`|\\]*[^`|\\\s])?")


def name(text: str, limit: int = 100) -> str:
    """A resource's name: as it is if it is plain words, else as code."""
    return text if len(text) <= limit and _WORD.fullmatch(text) else code(text, limit)


def code(text: str, limit: int = 200) -> str:
    """Foreign text as code, in which GitHub looks for no markup, mention or link; on one line, and cut if too long."""
    shown = "".join(_visible(character) for character in text[: limit + 1])
    if len(text) > limit:
        shown = shown[:limit] + "…"
    if not shown.strip():
        return "(empty)"
    if _SIMPLE.fullmatch(shown):
        return f"`{shown}`"
    # A code span can neither hold a backtick nor, in a table, a pipe behind a backslash; entities can hold anything.
    entities = "".join(c if c.isalnum() or c in " .,:;=/-" else f"&#{ord(c)};" for c in shown)
    return f"<code>{entities}</code>"


def _visible(character: str) -> str:
    """A character, or a stand-in for one that moves or hides others: controls, line ends, directions."""
    return " " if character in "\r\n\t" else "�" if unicodedata.category(character)[0] == "C" else character


def prose(text: str, limit: int = 600) -> str:
    """Foreign sentences as text: every character that means something to Markdown, HTML or GitHub is an entity.

    A mention or a link is broken by an invisible character, because GitHub looks for them after the entities.
    """
    shown = "".join(_visible(character) for character in text[: limit + 1])
    if len(text) > limit:
        shown = shown[:limit] + "…"
    encoded = "".join(c if c.isalnum() or c in " ,;()'" or c in ".-:" else f"&#{ord(c)};" for c in shown)
    encoded = re.sub(r"&#(64|35);", "&#\\1;&#8203;", encoded)
    encoded = re.sub(r"(?i)(https?)(:)|(www)(\.)|(gh)(-)", _broken, encoded)
    return encoded.strip() or "(empty)"


def _broken(match: re.Match[str]) -> str:
    head, tail = (part for part in match.groups() if part)
    return f"{head}&#8203;{tail}"


def quoted(text: str, limit: int = 4000) -> str:
    """Foreign lines as a block of code, the last ones if there are too many."""
    shown = text if len(text) <= limit else "…" + text[-limit:]
    lines = ["".join(_visible(character) for character in line) for line in shown.splitlines()]
    longest = max((len(ticks) for line in lines for ticks in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{fence}text", *lines, fence))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], limit: int) -> str:
    """A table of at most so many bytes; what does not fit is counted in its last row."""
    lines = [f"| {' | '.join(headings)} |", "|---" * len(headings) + "|"]
    written = [f"| {' | '.join(cells)} |" for cells in rows]
    room = limit - sum(size(line) for line in lines) - 80
    for shown, row in enumerate(written):
        room -= size(row)
        if room < 0:
            rest = f"{len(written) - shown} more: the log of the run has all"
            return "\n".join((*lines, f"| … | {rest} |{' |' * (len(headings) - 2)}"))
        lines.append(row)
    return "\n".join(lines)


def folded(summary: str, text: str) -> str:
    """Text that a reader has to open."""
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def size(line: str) -> int:
    """Bytes of a line with its end."""
    return len(line.encode()) + 1
