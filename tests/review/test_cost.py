"""What a change costs is told with the model and the prices of `ops cost`."""

from dataclasses import replace

import pytest

from tests.review.cases import TODAY
from tests.review.stack import UNKNOWN, Stack, changed, orders, preview, steps, without
from tools.ops import prices
from tools.ops.cost import Workload, monthly_cost
from tools.review.changes import State, state_of
from tools.review.cost import cost
from tools.review.engine import read_preview
from tools.review.report import Review, report
from tools.review.safety import judge


def states(stack: Stack) -> list[State]:
    found = [state_of(document) for document in stack.values()]
    return [state for state in found if state is not None]


def total(workload: Workload) -> float:
    return sum(charge.dollars for charge in monthly_cost(workload))


def test_a_stack_costs_what_ops_cost_says_of_its_sizes() -> None:
    sizes = Workload(events=0, batch=100, memory=512, architecture="arm64", alarms=2, metrics=0, dashboards=0)
    rest, busy = sizes, replace(sizes, events=1_000_000)
    found = cost(states(orders()))
    assert found.at_rest == pytest.approx(total(rest))
    assert found.per_million == pytest.approx(total(busy) - total(rest))


def test_each_alarm_and_key_is_paid_for_at_rest() -> None:
    base = cost(states(orders())).at_rest
    fewer = cost(states(without(orders(), "orders-wait-too-long", "OrderKey"))).at_rest
    assert base - fewer == pytest.approx(prices.ALARM.of(1) + prices.KEY.of(1))


def test_a_second_consumer_pays_for_all_but_the_publishing() -> None:
    stack = orders()
    one = cost(states(stack))
    two = cost([*states(stack), *(each for each in states(stack) if each.name == "ProcessOrder-mapping")])
    publishing = prices.PUBLISH.of(1_000_000)
    assert two.per_million - publishing == pytest.approx(2 * (one.per_million - publishing))


def test_a_size_that_is_not_known_is_named() -> None:
    with pytest.raises(ValueError, match="memorySize of ProcessOrder must be known"):
        cost(states(changed(orders(), "ProcessOrder", memorySize=UNKNOWN)))


def test_the_report_shows_what_a_change_costs_before_and_after() -> None:
    after = changed(without(orders(), "orders-wait-too-long"), "ProcessOrder", memorySize=2048)
    read = read_preview(preview(steps(orders(), after)))
    text = report(Review(preview=read, safety=judge(read, (), TODAY), policies=None, today=TODAY))
    [rest] = [line for line in text.splitlines() if line.startswith("| a month at rest")]
    before, afterwards = (float(cell.strip(" $")) for cell in rest.split("|")[2:4])
    assert before - afterwards == pytest.approx(prices.ALARM.of(1), abs=0.011)
