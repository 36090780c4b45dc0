"""Writes the generated parts of the documents; `make docs` runs it."""

import re
from collections.abc import Callable
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from config import StackConfig, key_of
from tools.recording.diagram import mermaid
from tools.recording.graph import record
from tools.root import ROOT
from tools.terminal import Printer


@dataclass(frozen=True, kw_only=True)
class Page:
    """A file that is generated, or holds a generated part between two comments with the part's name."""

    name: str
    path: Path
    part: Callable[[], str]

    def render(self) -> str:
        """The file's text as it should be. Raises ValueError if the file has no place for the part."""
        return filled(self.path.read_text(), self.name, self.part())


def filled(text: str, name: str, part: str) -> str:
    """A page with a generated part in its place, between two comments with the part's name.

    Raises ValueError if the page does not have that place exactly once.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    text, places = pattern.subn(lambda _: part, text)
    if places != 1:
        raise ValueError(f"the page must hold {begin} and {end} once, got {places} places")
    return text


def configuration_table() -> str:
    """Every setting of StackConfig as a row of a Markdown table."""
    rows = ["| key | default | values | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `orders:{key_of(f)}` | {_default(f)} | {_values(f)} | {f.metadata['setting'].meaning} |"
        for f in fields(StackConfig)
    ]
    return "\n".join(rows) + "\n"


def _default(declared: Field[Any]) -> str:
    text = text_of(declared.default)
    return f"`{text}`" if text else "none"


def _values(declared: Field[Any]) -> str:
    rule = declared.metadata["setting"]
    if rule.choices and rule.unit:
        return f"{rule.choices[0]} to {rule.choices[-1]} {rule.unit}, only the values that AWS offers"
    if rule.choices:
        text = ", ".join(rule.choices)
    elif isinstance(declared.default, bool):
        text = "true, false"
    elif isinstance(declared.default, int):
        text = f"{rule.low} to {rule.high}"
    else:
        text = "text"
    return f"{text} {rule.unit}".strip()


def diagram() -> str:
    """The picture of a stack with every setting at its default, as GitHub draws it."""
    defaults = {f"orders:{key_of(f)}": text_of(f.default) for f in fields(StackConfig)}
    return f"```mermaid\n{mermaid(record(stack='dev', config=defaults))}```\n"


def text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


GENERATED = (
    Page(name="configuration", path=ROOT / "docs/configuration.md", part=configuration_table),
    Page(name="diagram", path=ROOT / "docs/architecture.md", part=diagram),
)
"""Everything that is generated."""


def run(_printer: Printer) -> None:
    """Write every generated part."""
    for page in GENERATED:
        page.path.write_text(page.render())
