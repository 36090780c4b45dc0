"""JSON of others: the value, or a sentence; never a traceback."""

import json
from pathlib import Path

import pytest

from tests.ops.cloud import Command, order
from tools.ops.decoding import decode


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "must be JSON, got something else at line 1, column 2"),
        ("[" * 100_000 + "]" * 100_000, "must be nested less deep"),
        ('{"a": 1, "a": 2}', "must name each attribute of an object once"),
        ("[NaN]", "must be JSON, got NaN"),
        ('["\\ud800"]', "must be valid Unicode"),
        ('["\udc80"]', "must be valid Unicode"),
        ("9" * 5000, "must have numbers of at most 4,300 digits"),
    ],
)
def test_what_cannot_be_understood_is_told_in_a_sentence(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        decode(text)


def test_a_byte_order_mark_and_pairs_of_surrogates_are_fine() -> None:
    assert decode('\ufeff{"a": "\\ud83d\\ude00", "b": 1.5}') == {"a": "\U0001f600", "b": 1.5}


@pytest.mark.parametrize("body", ['{"orderId": "D", "x": ' + "[" * 5000 + "]" * 5000 + "}", '{"orderId": "\\ud800"}'])
def test_a_file_of_hostile_orders_ends_in_status_2(body: str, operate: Command, tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text(body)
    (tmp_path / "export.jsonl").write_text('{"messageId": "m", "source": "queue", "body": ' + body + "}")
    for *words, file in (["publish", "orders.json"], ["verify", "orders.json"], ["dlq", "import", "export.jsonl"]):
        done = operate(*words, str(tmp_path / file))
        assert (done.status, done.out, "Traceback" in done.err) == (2, "", False)


def test_files_may_begin_with_a_byte_order_mark(command: Command, outputs: Path, tmp_path: Path) -> None:
    marked = {}
    export = {"messageId": "m", "source": "queue", "body": json.dumps(order())}
    for name, text in {"o": json.dumps(order()), "e": json.dumps(export), "outputs": outputs.read_text()}.items():
        marked[name] = tmp_path / name
        marked[name].write_text("\ufeff" + text)
    shared = ("--outputs", str(marked["outputs"]))
    assert command("publish", str(marked["o"]), *shared).status == 0
    assert command("dlq", "import", str(marked["e"]), *shared).status == 0
    assert "1 of 1 orders stored" in command("verify", str(marked["o"]), *shared).out
    marked["o"].write_text("\ufeff{")
    judged = command("policy", "--policy-pack-config", str(marked["o"]))
    assert (judged.status, "Expecting property name" in judged.err) == (1, True)
