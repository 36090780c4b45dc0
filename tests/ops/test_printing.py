"""Output: nothing that came in a message can act on the terminal, and a pipe gets plain lines."""

import io
import json

from ops.printing import Printer, ago, clean

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


def test_a_screen_replaces_what_was_there_in_one_piece() -> None:
    out = Terminal()
    printer = Printer(out=out)
    with printer.screen():
        printer.line("one")
        printer.table(("two",), [("three",)])
        assert out.getvalue() == ""
    assert out.getvalue().startswith("\x1b[H\x1b[2Jone\n")
    assert "three" in out.getvalue()


def test_a_span_is_told_in_the_unit_a_person_would_choose() -> None:
    assert [ago(s) for s in (None, -1, 5, 119, 120, 7199, 7200, 172800)] == [
        *("-", "0 s", "5 s", "119 s", "2 min", "120 min", "2 h", "2 d")
    ]
