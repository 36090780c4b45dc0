"""Writes the figures of a proof that held into docs/reliability.md."""

from collections.abc import Mapping

from tests.bench.results import machine, markdown
from tools.recording.pages import filled
from tools.root import ROOT

PAGE = ROOT / "docs" / "reliability.md"
Figures = Mapping[str, int | float]
"""What was counted and measured, each with its unit in the name."""


def write(name: str, figures: Figures) -> None:
    """Put the figures in their place, with the machine that they come from."""
    rows = [(figure, _text(value)) for figure, value in figures.items()]
    PAGE.write_text(
        filled(PAGE.read_text(), name, f"\n{markdown(('figure', 'value'), rows)}\n<sub>{machine()}</sub>\n\n")
    )


def _text(value: float) -> str:
    """Spell a figure for a reader: thousands apart, at most three digits behind the point."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}" if value < 100 else f"{value:,.0f}"
