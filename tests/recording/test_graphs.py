"""The graphs that the programs register are those that were read and agreed to."""

import re
from collections.abc import Mapping

import pytest

from tests.recording.graphs import FOLDER, GOLDEN, OTHERS, differing

AGREE = "read what has changed, and if it is meant: make golden"
RUNS = range(5)
"""Twice as many settings need one more."""


@pytest.mark.parametrize("name", ["pipeline.yaml", "bootstrap.yaml"])
def test_what_is_registered_is_what_was_agreed_to(name: str) -> None:
    assert GOLDEN[name]() == (FOLDER / name).read_text(), AGREE


def test_each_setting_changes_what_was_agreed_to() -> None:
    text = (FOLDER / "settings.txt").read_text()
    blocks = [block.splitlines() for block in re.split(r"^(?=orders:)", text, flags=re.MULTILINE)[1:]]
    assert [head for head, *_ in blocks] == [f"{key}: {value}" for key, value in OTHERS.items()], AGREE
    effects = {key: lines for key, (_, *lines) in zip(OTHERS, blocks, strict=True)}
    runs = together(effects)
    assert {key for run in runs for key in run} == OTHERS.keys(), "the runs must be more"
    for run in runs:
        assert differing(*run) == sorted(line for key in run for line in effects[key]), AGREE


def together(effects: Mapping[str, list[str]]) -> list[list[str]]:
    """The settings to change in each run: no two of one input in the same, and no two in all the same runs."""
    inputs = {key: {line.split(": ")[0] for line in lines} for key, lines in effects.items()}
    alone = [key for key in inputs if any(inputs[key] & inputs[other] for other in inputs.keys() - {key})]
    several = [number for number in range(2 ** len(RUNS)) if number.bit_count() > 1]
    others = dict(zip([key for key in inputs if key not in alone], several, strict=False))
    return [[*alone[run : run + 1], *(key for key, number in others.items() if number >> run & 1)] for run in RUNS]
