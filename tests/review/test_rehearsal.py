"""A change is tried while orders pass, and what becomes of every one of them is told."""

from pathlib import Path

import pytest

from tests.tree import copied
from tools.review.rehearsal import rehearse
from tools.review.trial import Trial, read_trial
from tools.root import ROOT


def test_what_a_job_writes_is_what_another_reads() -> None:
    trial = Trial(said="75 orders", lost=("none is stored",), noticed=("slow",))
    assert read_trial(trial.text()) == trial
    for text in ("", "[]", '{"lost": "x"}'):
        with pytest.raises(ValueError, match="must be what"):
            read_trial(text)


def change(folder: Path, file: str, old: str, new: str) -> Path:
    """The project with one edit."""
    copy = copied(folder / "change")
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new))
    return copy


def test_a_change_that_no_order_notices_is_tried_and_every_order_arrives(tmp_path: Path) -> None:
    handler = "functions/process_order/lambda_function.py"
    trial = rehearse(ROOT, change(tmp_path, handler, "    counts = dict", "    # By kind.\n    counts = dict"), "local")
    assert (trial.left_out, trial.lost) == ("", ())
    assert "152 orders published before, during and after the change" in trial.said
    assert "; 152 stored, 13 of 13 dead letters kept" in trial.said


def test_a_right_that_is_taken_away_is_named_with_the_orders_that_are_not_stored(tmp_path: Path) -> None:
    rights = '"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"'
    copy = change(tmp_path, "components/processor.py", rights, '"dynamodb:PartiQLInsert"')
    trial = rehearse(ROOT, copy, "local")
    assert not trial.held
    assert "PartiQLUpdate" in " ".join(trial.lost)
