"""`status` calls nothing well that is not."""

from typing import Any

import pytest

from tools.ops.status import problems, unknown

QUIET: dict[str, Any] = {"visible": 0, "inFlight": 0, "delayed": 0, "oldest": None, "patience": 540}


def facts(*, log: dict[str, Any] | None = None, **queue: Any) -> dict[str, Any]:
    """A stack at rest, but for what is given."""
    counts = dict.fromkeys(("batches", "stored", "superseded", "rejected", "failed", "errors"), 0)
    return {
        "queues": [
            {"name": "OrderQueue", "deadLetters": False, **QUIET, **queue},
            {"name": "OrderQueue-dlq", "deadLetters": True, **QUIET},
        ],
        "log": {**counts, "others": {}, "seconds": 900, **(log or {})},
        "functions": [{"name": "f", "state": "Active", "lastUpdate": "Successful", "mappings": ["Enabled"]}],
        "table": {"name": "Orders", "state": "ACTIVE"},
        "alarms": [],
    }


def test_a_stack_at_rest_and_one_at_work_are_well() -> None:
    assert list(problems(facts())) == []
    assert list(problems(facts(log={"stored": 200, "batches": 20}, visible=50, oldest=3.0))) == []


@pytest.mark.parametrize("outcome", ["failed", "rejected"])
def test_messages_that_are_not_stored_are_one_problem_and_not_two(outcome: str) -> None:
    [problem] = problems(facts(log={outcome: 200, "errors": 200, "stored": 10}))
    assert problem.startswith(f"200 receives {outcome} in the last ")


def test_of_messages_that_wait_for_an_unknown_time_nothing_bad_is_said() -> None:
    waiting = facts(visible=200)
    assert list(problems(waiting)) == []
    [gap] = unknown(waiting)
    assert gap.startswith("OrderQueue holds 200 messages, none was handled in the last 15 min, and how long")
    assert not list(unknown(facts(visible=200, oldest=2.0)))


@pytest.mark.parametrize(("oldest", "count"), [(539.0, 0), (541.0, 1)])
def test_a_queue_is_emptied_too_slowly_after_all_tries_of_a_message(oldest: float, count: int) -> None:
    found = list(problems(facts(visible=200, oldest=oldest)))
    assert len(found) == count
    assert all(problem.startswith("the oldest message in OrderQueue has waited for ") for problem in found)


def test_a_function_that_crashes_before_it_counts_is_a_problem() -> None:
    [problem] = problems(facts(log={"errors": 60}))
    assert problem.startswith("60 warnings and errors in the log of the last ")
