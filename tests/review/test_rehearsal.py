"""A change is tried while orders pass, and what becomes of every one of them is told."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tools.review.account import Account, Sight
from tools.review.rehearsal import rehearse
from tools.review.trial import Trial, read_trial
from tools.root import ROOT

ORDER = {"orderId": "O1", "status": "new", "timestamp": "2025-05-03T12:00:00Z"}
PAID = {**ORDER, "status": "paid", "timestamp": "2025-05-03T12:01:00Z"}
OTHER = {**ORDER, "orderId": "O2"}
POISON = "no order"
WHOLE = Sight(
    stored={"O1": PAID, "O2": OTHER},
    waiting={"OrderQueue": []},
    dead={"OrderQueue": [{"MessageId": "1", "Body": POISON}]},
    seen={"OrderQueue": {json.dumps(each) for each in (ORDER, PAID, OTHER)}},
    running=0,
    errors=(),
    refused=(),
)


def account() -> Account:
    """One order from before the change and two from after it, one of which is the same, and a message for nobody."""
    found = Account(poison=Counter([POISON]))
    for part, body in (("before", POISON), ("before", ORDER), ("after", PAID), ("after", OTHER)):
        found.took(part, body if isinstance(body, str) else json.dumps(body), "")
    return found


def told(**changes: Any) -> list[str]:
    """What is lost, where something is otherwise than whole."""
    sight = replace(WHOLE, **changes)
    return [*account().losses(sight, WHOLE), *account().less(WHOLE, sight, {"OrderQueue": ""})]


def test_nothing_is_lost_where_every_order_is_in_its_newest_version_and_the_rest_is_dead() -> None:
    assert told() == []
    assert account().settled(WHOLE)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stored": {"O1": PAID}}, "after the change 1 of 2 orders are stored: 1 nowhere to be found"),
        (
            {"stored": {"O1": ORDER, "O2": OTHER}},
            "after the change 1 of 2 orders are stored: 1 stored in an older version",
        ),
        (
            {"stored": {}, "refused": ("ProcessOrder may not dynamodb:PartiQLUpdate",)},
            "after the change 0 of 2 orders are stored: ProcessOrder may not dynamodb:PartiQLUpdate; "
            "2 nowhere to be found",
        ),
        (
            {"stored": {}, "errors": ("No module named 'x'",), "waiting": {"OrderQueue": [{"Body": json.dumps(PAID)}]}},
            "after the change 0 of 2 orders are stored: the function fails: No module named 'x'; "
            "1 waiting in the queue; 1 nowhere to be found",
        ),
        ({"dead": {"OrderQueue": []}}, "messages that cannot be stored, and are in no dead-letter queue: 1"),
        (
            {"seen": {"OrderQueue": {json.dumps(ORDER)}}},
            "OrderQueue got 0 of 2 messages that it should get after the change",
        ),
    ],
)
def test_whatever_is_not_where_it_belongs_is_told_with_what_is_known_of_it(changes: dict[str, Any], says: str) -> None:
    assert says in told(**changes)


def test_what_the_topic_refuses_is_told_and_not_waited_for() -> None:
    found = account()
    found.refused["after"] = 3
    assert [*found.losses(WHOLE, WHOLE)] == ["the topic that producers know refused 3 messages after the change"]


def test_what_a_job_writes_is_what_another_reads() -> None:
    trial = Trial(said="75 orders", lost=("none is stored",))
    assert read_trial(trial.text()) == trial
    for text in ("", "[]", '{"lost": "x"}'):
        with pytest.raises(ValueError, match="must be what"):
            read_trial(text)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The program in another folder."""
    for name in ("__main__.py", "config.py", "Pulumi.yaml", "Pulumi.local.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("components", "functions"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_change_that_no_order_notices_is_tried_and_every_order_arrives(copy: Path) -> None:
    edit(copy / "functions/process_order/lambda_function.py", "    counts = dict", "    # By kind.\n    counts = dict")
    trial = rehearse(ROOT, copy, "local")
    assert (trial.left_out, trial.lost) == ("", ())
    assert "67 orders published before, during and after the change" in trial.said
    assert "; 67 stored, " in trial.said


def test_a_right_that_is_taken_away_is_named_with_the_orders_that_are_not_stored(copy: Path) -> None:
    edit(
        copy / "components/processor.py",
        '"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"',
        '"dynamodb:PartiQLInsert"',
    )
    trial = rehearse(ROOT, copy, "local")
    assert not trial.held
    assert "PartiQLUpdate" in " ".join(trial.lost)


def test_a_change_that_cannot_be_deployed_says_why(copy: Path) -> None:
    edit(copy / "components/processor.py", "function_name=function.name", 'function_name="nobody"')
    [lost] = rehearse(ROOT, copy, "local").lost
    assert lost.startswith("the change cannot be deployed: ")
    assert "Function not found: nobody" in lost
