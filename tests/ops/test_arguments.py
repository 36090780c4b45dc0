"""The command line: every verb has a help with an example, and mistakes end in status 2 with the rule."""

import os
import re
import subprocess
import sys

import pytest

from ops.__main__ import VERBS, main
from ops.arguments import parse, span
from recording.graph import ROOT

LINES = {
    "publish": ["orders.jsonl"],
    "status": [],
    "verify": [],
    "trace": ["O1"],
    "tail": [],
    "dlq list": [],
    "dlq show": ["abc"],
    "dlq redrive": [],
    "dlq export": ["-"],
    "dlq import": ["-"],
    "dlq purge": [],
    "cost": ["--orders", "10"],
}


def test_every_verb_has_its_case_here() -> None:
    assert LINES.keys() == {*VERBS, "cost"}


@pytest.mark.parametrize("verb", LINES)
def test_a_verb_is_told_by_its_words(verb: str) -> None:
    assert parse([*verb.split(), *LINES[verb]]).verb == verb


@pytest.mark.parametrize("verb", LINES)
def test_the_help_of_a_verb_ends_in_an_example_that_parses(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["help", *verb.split()])
    assert ended.value.code == 0
    example = capsys.readouterr().out.rpartition("example:\n")[2].split()
    assert example[:3] == ["python", "-m", "ops"]
    assert parse(example[3:]).verb == verb


def test_the_stack_may_be_named_before_the_verb_or_after_it() -> None:
    assert parse(["--outputs", "a", "--json", "status"]).outputs == "a"
    assert parse(["--outputs", "a", "--json", "status"]).as_json is True
    assert parse(["status", "--outputs", "b"]).outputs == "b"


def test_the_environment_names_the_stack_only_if_the_command_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_OUTPUTS", "from-environment")
    assert parse(["status"]).outputs == "from-environment"
    named = parse(["status", "--stack", "dev"])
    assert (named.stack, named.outputs) == ("dev", None)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("3d", 259200)])
def test_a_span_of_time_has_a_unit(text: str, seconds: float) -> None:
    assert span(text) == seconds


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("tail --since yesterday", "must be a time such as 90s, 15m, 2h or 3d, got 'yesterday'"),
        ("publish", "one of the arguments FILE --generate is required"),
        ("publish --generate 0", "must be an integer of at least 1, got '0'"),
        ("publish f --rate 0", "must be a number of at least 0.01, got '0'"),
        ("dlq list --match [", "must be a regular expression, got '['"),
        ("dlq list --from elsewhere", "queue|topic|both"),
        ("cost --orders 1 --memory 64", "must be an integer of at least 128 and at most 10240, got '64'"),
        ("cost --orders nan", "must be a number of at least 1, got 'nan'"),
    ],
)
def test_a_wrong_argument_ends_in_status_2_and_the_rule(
    line: str, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(line.split())
    assert ended.value.code == 2
    assert rule in capsys.readouterr().err


def test_a_command_without_a_stack_says_how_to_name_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORDERS_OUTPUTS", raising=False)
    monkeypatch.delenv("ORDERS_STACK", raising=False)
    assert main(["status"]) == 2
    assert "--stack NAME or by --outputs FILE" in capsys.readouterr().err


def test_the_exit_codes_are_documented() -> None:
    done = subprocess.run([sys.executable, "-m", "ops", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"^  ([0-9])  ", done.stdout, re.MULTILINE) == ["0", "1", "2", "3"]


def test_help_and_cost_load_neither_boto3_nor_rich() -> None:
    program = (
        "import sys; from ops.__main__ import main; main(['cost', '--orders', '10']); "
        "sys.exit(bool({'boto3', 'botocore', 'rich'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ops", "cost", "--orders", "10"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
