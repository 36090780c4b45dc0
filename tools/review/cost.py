"""What a stack costs in a month, told from its resources by the model and prices of `ops cost`."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.ops import prices
from tools.ops.cost import Workload, monthly_cost
from tools.review.changes import State
from tools.review.holdings import ALARM, FUNCTION, KEY, LOG_FILTER, MAPPING
from tools.review.values import number

MILLION = 1_000_000
BY_NUMBER = {
    ALARM: prices.ALARM,
    KEY: prices.KEY,
    LOG_FILTER: prices.METRIC,
    "aws:cloudwatch/dashboard:Dashboard": prices.DASHBOARD,
}
"""What is paid for as long as it is there, by type."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """US dollars."""

    at_rest: float
    """A month in which nothing happens."""
    per_million: float
    """What a million events add, in full batches of 300 bytes each."""


def cost(states: Sequence[State]) -> Cost:
    """What these resources cost.

    Raises ValueError naming an input that is not known.
    """
    at_rest, busy = (_month(states, events) for events in (0, MILLION))
    return Cost(at_rest=at_rest, per_million=busy - at_rest)


def _month(states: Sequence[State], events: float) -> float:
    """A month's bill: each consumer's, with what the stack has but once or in numbers of its own counted apart."""
    total = sum(BY_NUMBER[state.type].of(1) for state in states if state.type in BY_NUMBER)
    for index, mapping in enumerate(state for state in states if state.type == MAPPING):
        apart = {*BY_NUMBER.values(), *([prices.PUBLISH] if index else [])}
        charges = monthly_cost(_workload(mapping, states, events))
        total += sum(charge.dollars for charge in charges if charge.price not in apart)
    return total


def _workload(mapping: State, states: Sequence[State], events: float) -> Workload:
    function = _function(mapping, states)
    architectures = function.get("architectures")
    architecture = architectures[0] if isinstance(architectures, list) and architectures else "x86_64"
    if architecture not in ("arm64", "x86_64"):
        raise ValueError(f"the architecture of {function.name} must be known")
    return Workload(
        events=events,
        batch=_number(mapping, "batchSize", 10),
        memory=int(_number(function, "memorySize", 128)),
        architecture=architecture,
    )


def _function(mapping: State, states: Sequence[State]) -> State:
    functions = {state.urn: state for state in states if state.type == FUNCTION}
    named = [urn for urn in mapping.sources.get("functionName", ()) if urn in functions] or list(functions)
    if not named:
        raise ValueError(f"the function of {mapping.name} must be in the stack")
    return functions[named[0]]


def _number(state: State, key: str, default: float) -> float:
    value = number(state.get(key), default)
    if value is None:
        raise ValueError(f"{key} of {state.name} must be known")
    return value
