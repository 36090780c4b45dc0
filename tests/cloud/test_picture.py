"""The demo's picture fits the terminal that it is drawn on."""

import pytest
from rich.cells import cell_len

from tests.unit.test_terminal import Terminal, plain
from tools.cloud.picture import Counts, print_picture
from tools.terminal import Printer

COUNTS = Counts(
    published=1_234_567,
    received=2_345_678,
    stored=1_000_000,
    superseded=234_555,
    failed=36,
    items=1_000_000,
    reasons={"0" * 36: "quantity must be an integer from 1 to 9007199254740991, got a string"},
    seconds=30.0,
    busy=20.0,
)


def test_the_picture_has_every_count_and_fits_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    print_picture(COUNTS, Printer(out=out))
    lines = plain(out)
    assert max(map(cell_len, lines)) <= 80
    assert any("──▶" in line for line in lines)
    for count in ("1,234,567", "2,345,678", "1,000,000", "234,555", "36"):
        assert count in " ".join(lines).split()
