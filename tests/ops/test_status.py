"""`status` calls nothing well that is not."""

from typing import Any

import pytest

from tools.ops.status import problems

QUIET: dict[str, Any] = {"visible": 0, "inFlight": 0, "delayed": 0, "oldest": None}


def facts(*, log: dict[str, int] | None = None, **queue: Any) -> dict[str, Any]:
    """A stack at rest, but for what is given."""
    counts = {"batches": 0, "stored": 0, "superseded": 0, "rejected": 0, "failed": 0, "seconds": 900, "errors": 0}
    return {
        "queues": [
            {"name": "OrderQueue", "deadLetters": False, **QUIET, **queue},
            {"name": "OrderQueue-dlq", "deadLetters": True, **QUIET},
        ],
        "log": {**counts, **(log or {})},
        "functions": [{"name": "f", "state": "Active", "lastUpdate": "Successful", "mappings": ["Enabled"]}],
        "table": {"name": "Orders", "state": "ACTIVE"},
        "alarms": [],
    }


def test_a_stack_at_rest_and_one_at_work_are_well() -> None:
    assert list(problems(facts())) == []
    assert list(problems(facts(log={"stored": 200, "batches": 20}, visible=50, oldest=3.0))) == []


@pytest.mark.parametrize("outcome", ["failed", "rejected"])
def test_messages_that_are_not_stored_are_a_problem(outcome: str) -> None:
    [problem] = problems(facts(log={outcome: 200, "stored": 10}))
    assert problem.startswith(f"200 receives {outcome} in the last ")


def test_a_queue_that_nobody_empties_is_a_problem() -> None:
    [problem] = problems(facts(visible=200))
    assert problem.startswith("OrderQueue holds 200 messages, and none was handled in the last ")


def test_a_queue_that_is_emptied_too_slowly_is_a_problem() -> None:
    [problem] = problems(facts(log={"stored": 5}, visible=200, oldest=1000.0))
    assert problem.startswith("the oldest message in OrderQueue has waited for ")


def test_a_function_that_crashes_before_it_counts_is_a_problem() -> None:
    [problem] = problems(facts(log={"errors": 60}))
    assert problem.startswith("60 warnings and errors in the log of the last ")


def test_rejected_messages_are_one_problem_and_not_two() -> None:
    assert len(list(problems(facts(log={"errors": 3, "rejected": 3})))) == 1
