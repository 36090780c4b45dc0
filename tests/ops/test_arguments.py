"""The command line: every verb has a help with an example, and mistakes end in status 2 with the rule."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ops.cloud import Command
from tools.__main__ import VERBS
from tools.ops.arguments import quoted, span
from tools.root import ROOT


@pytest.mark.parametrize("verb", [name for name, verb in VERBS.items() if verb.connects])
def test_the_help_of_a_verb_ends_in_an_example_that_asks_its_stack(verb: str, command: Command) -> None:
    shown = command("help", *verb.split())
    example = shown.out.rpartition("example:\n")[2].split()
    assert (shown.status, example[0]) == (0, "./orders")
    done = command(*example[1:], "--outputs", "nowhere.json")
    assert (done.status, "must be " in done.err, "Usage" in done.err) == (2, True, False)


def test_help_names_every_verb(command: Command) -> None:
    listed = command("help").out + command("help", "dlq").out
    assert set(re.findall(r"^  (\w+)  ", listed, re.MULTILINE)) >= {name.split()[-1] for name in VERBS}


def test_the_stack_may_be_named_before_the_verb_or_after_it(command: Command) -> None:
    assert "readable file, got a " in command("--outputs", "a", "--json", "status").err
    assert "readable file, got b " in command("--outputs", "a", "dlq", "--json", "list", "--outputs", "b").err


def test_the_environment_names_the_stack_only_if_the_command_does_not_and_one_of_them_must(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_OUTPUTS", "from-environment")
    monkeypatch.setenv("PATH", "")
    assert "readable file, got from-environment " in command("status").err
    assert "must find the Pulumi CLI" in command("status", "--stack", "dev").err
    monkeypatch.delenv("ORDERS_OUTPUTS")
    done = command("status")
    assert (done.status, "--stack NAME or by --outputs FILE" in done.err) == (2, True)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("3d", 259200)])
def test_a_span_of_time_has_a_unit(text: str, seconds: float) -> None:
    assert span(text) == seconds


@pytest.mark.parametrize(
    "text", ["é\x07 \\ '", "O1", "two words; rm -rf $HOME `ls` 'x' \"", "O\x1b[2J'\\\u202e", "-x", ""]
)
def test_a_shell_reads_a_quoted_text_back(text: str) -> None:
    told = subprocess.run(["bash", "-c", f"printf %s {quoted(text)}"], capture_output=True, check=True)
    assert told.stdout.decode() == text
    assert quoted(text).isprintable()


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("tail --since yesterday", "must be a time such as 90s, 15m, 2h or 3d, got 'yesterday'"),
        ("publish f --attribute kind", "must be NAME=VALUE, got 'kind'"),
        ("publish f --rate 0", "'--rate': 0 is not in the range x>=1"),
        ("dlq list --match [", "must be a regular expression, got '['"),
        ("dlq lift", "No such command 'lift'. Did you mean 'list'?"),
        ("", "Operate a stack:"),
    ],
)
def test_a_wrong_argument_ends_in_status_2_and_the_rule(line: str, rule: str, command: Command) -> None:
    done = command(*line.split())
    assert (done.status, done.out) == (2, "")
    assert rule in done.err


@pytest.mark.parametrize(("line", "told"), [("orders st", "plain,status\n"), ("orders statu x", "\n")])
def test_a_shell_completes_what_there_is_and_stays_silent_after_a_mistake(line: str, told: str) -> None:
    asked = {"_ORDERS_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    done = subprocess.run(["./orders"], cwd=ROOT, env=os.environ | asked, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (told, "")


def test_help_loads_neither_boto3_nor_rich() -> None:
    program = (
        "import sys; from tools.__main__ import main; main(['help', 'dlq']); "
        "sys.exit(bool({'boto3', 'botocore', 'rich'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False).returncode == 0


HELP = [sys.executable, "-m", "tools", "help"]


def test_a_full_standard_output_is_status_3_and_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(HELP, cwd=ROOT, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr.count(b"\n"), b"No space left on device" in done.stderr) == (3, 1, True)


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    process = subprocess.Popen(HELP, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    process.stdout.close()
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")
