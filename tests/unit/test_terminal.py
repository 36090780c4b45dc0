"""Output: nothing that came in a message can act on the terminal, and a pipe gets plain lines."""

import io
import json
import re

import pytest
from rich.cells import cell_len

from tools.terminal import Printer, ago, clean

HOSTILE = "\x1b[2J\x07\u202egnp.exe[bold]evil[/]\n\r\u2028"


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_whatever_a_terminal_obeys_is_spelled_out() -> None:
    assert clean(HOSTILE) == r"\x1b[2J\x07\u202egnp.exe[bold]evil[/]\n\r\u2028"
    assert clean("Käse 漢字 ✓") == "Käse 漢字 ✓"


def test_a_terminal_gets_no_escape_and_no_markup_from_a_message() -> None:
    out = Terminal()
    printer = Printer(out=out)
    printer.line(HOSTILE)
    printer.table(("column",), [(HOSTILE,), ("[red]x[/red]",)])
    assert "\x1b[2J" not in out.getvalue()
    assert "\x07" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
    assert "[bold]evil[/]" in out.getvalue()
    assert "[red]x[/red]" in out.getvalue()


def test_an_error_keeps_its_line_breaks_and_nothing_else() -> None:
    errors = io.StringIO()
    Printer(errors=errors).error("first\nsecond \x1b[31m")
    assert errors.getvalue() == "first\nsecond \\x1b[31m\n"


def test_a_pipe_gets_aligned_lines_without_colour() -> None:
    out = io.StringIO()
    printer = Printer(out=out)
    printer.table(("queue", "count"), [(("a-long-name", "red"), 3), ("b", 12)])
    printer.line("done", style="green")
    assert out.getvalue() == "queue        count\na-long-name  3\nb            12\ndone\n"


def test_a_stream_that_cannot_spell_a_character_gets_an_escape() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Printer(out=out).line("Käse")
    assert raw.getvalue() == b"K\\xe4se\n"


def test_json_is_one_line_of_ascii_and_nothing_is_printed_beside_it() -> None:
    out = io.StringIO()
    printer = Printer(as_json=True, out=out)
    printer.line("for people")
    printer.table(("a",), [("b",)])
    with printer.progress("working", 3) as advance:
        advance(3)
    printer.json({"body": HOSTILE})
    assert out.getvalue().isascii()
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue()) == {"body": HOSTILE}


def test_a_screen_is_cleared_and_a_pipe_is_not() -> None:
    screen, pipe = Terminal(), io.StringIO()
    for out in (screen, pipe):
        Printer(out=out).clear()
    assert (screen.getvalue(), pipe.getvalue()) == ("\x1b[H\x1b[2J", "")


def test_a_span_is_told_in_the_unit_a_person_would_choose() -> None:
    assert [ago(s) for s in (None, -1, 5, 119, 120, 7199, 7200, 172800)] == [
        *("-", "0 s", "5 s", "119 s", "2 min", "120 min", "2 h", "2 d")
    ]


REASON = "quantity must be an integer from 1 to 9007199254740991, got a boolean, at 2025-05-03T12:00:00Z"
URL = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"


@pytest.fixture(params=[60, 80, 120])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return int(request.param)


def plain(out: io.StringIO) -> list[str]:
    """What is on the terminal, line by line, without colours."""
    return re.sub(r"\x1b\[[\d;]*m", "", out.getvalue()).splitlines()


def test_a_terminal_gets_whole_words_at_every_width(width: int) -> None:
    out, errors = Terminal(), Terminal()
    printer = Printer(out=out, errors=errors)
    printer.line(f"dead   message 4f0c: {REASON}", style="red")
    printer.error(f"{REASON} {URL}")
    for stream, text in ((out, f"dead   message 4f0c: {REASON}"), (errors, f"{REASON} {URL}")):
        lines = plain(stream)
        assert max(len(line) for line in lines if URL not in line) <= width  # which stays whole
        assert " ".join(lines).split() == text.split()


def test_a_pipe_gets_each_line_whole() -> None:
    out = io.StringIO()
    Printer(out=out).line(REASON * 3)
    assert out.getvalue() == REASON * 3 + "\n"


def test_the_columns_of_a_table_line_up_at_every_width(width: int) -> None:
    out = Terminal()
    rows = [
        ("queue", "4f0c2d1e", "P-" + "0" * 30, 7, "rejected", REASON),
        ("topic", "ffffffff", "漢字", 12, "newer", "x"),
    ]
    Printer(out=out).table(("queue", "message", "order", "age", "state", "reason"), rows)
    lines = plain(out)
    assert max(map(cell_len, lines)) <= width
    whole = " ".join(lines)
    assert all(word in whole.split() for word in REASON.split())
    heads = [line for line in lines if line.startswith(("queue", "topic"))]
    assert len({cell_len(line[: re.search(r"state|rejected|newer", line).start()]) for line in heads}) == 1  # type: ignore[union-attr]


def test_one_very_long_cell_widens_no_other_row_and_is_cut_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")  # in which there is room for the last column
    pipe, terminal = io.StringIO(), Terminal()
    for out in (pipe, terminal):
        Printer(out=out).table(("order", "state"), [("x" * 5000, "newer"), ("O1", "stored")])
        assert len(plain(out)[-1]) < 60
    assert "x" * 5000 in pipe.getvalue()
    assert plain(terminal)[1] == "x" * 39 + "…  newer"


@pytest.mark.usefixtures("width")
def test_colour_comes_only_to_a_terminal_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> str:
        out, errors = Terminal(), Terminal()
        printer = Printer(out=out, errors=errors)
        printer.line("done", style="green")
        printer.error("no")
        return out.getvalue() + errors.getvalue()

    assert shown() == "\x1b[32mdone\x1b[0m\n\x1b[31mno\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown() == "done\nno\n"


@pytest.mark.usefixtures("width")
def test_a_bar_shows_its_steps_and_what_it_waits_for() -> None:
    errors = Terminal()
    with Printer(out=io.StringIO(), errors=errors).progress("proving", 12) as bar:
        bar(7)
        bar.says("waiting for a second receive")
    shown = " ".join(plain(errors))
    assert "7/12" in shown
    assert "waiting for a second receive" in shown


def test_a_pipe_gets_no_bar() -> None:
    errors = io.StringIO()
    with Printer(errors=errors).progress("proving", 12) as bar:
        bar(7)
        bar.says("waiting")
    assert errors.getvalue() == ""
