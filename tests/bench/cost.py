"""What a million events cost, by service, for ours and the original handler, from what was measured."""

from typing import Any

from tests.bench.limits import MEMORY_OF_A_CPU
from tools.ops.cost import Workload, by_service, monthly_cost

BATCHES = (1, 10, 100)
MEMORY = 512
ROUND_TRIP = 5.0
"""Milliseconds of a call to DynamoDB from a function in its region."""
MANY = 1e12
"""Events: so many that what is paid by the month, whatever the load, does not show."""
SERVICES = ("SNS", "SQS", "Lambda", "DynamoDB", "CloudWatch")


def rows(handler: dict[str, Any], writes_per_event: dict[str, float]) -> list[dict[str, Any]]:
    """Price both handlers at each batch size, on a shop's day."""
    found = []
    for batch in BATCHES:
        for contender in ("original", "ours"):
            single = contender == "original"
            milliseconds = cpu_ms(handler, contender, batch) + ROUND_TRIP * (batch if single else 1)
            writes = 1.0 if single else writes_per_event[str(batch)]
            priced = bill(batch=batch, milliseconds=milliseconds, writes=writes)
            found.append({"contender": contender, "batch": batch, "milliseconds": milliseconds, **priced})
    return found


def bill(*, batch: int, milliseconds: float, writes: float) -> dict[str, float]:
    """Price a million events by service, and in `total`, with invocations of so many milliseconds."""
    workload = Workload(events=MANY, batch=batch, memory=MEMORY, duration=milliseconds, writes=writes)
    dollars = {name: value * 1e6 / MANY for name, value in by_service(monthly_cost(workload)).items()}
    services = {name: round(dollars[name], 3) for name in SERVICES}
    return {**services, "total": round(sum(dollars[name] for name in SERVICES), 3)}


def cpu_ms(handler: dict[str, Any], contender: str, batch: int) -> float:
    """Milliseconds of an invocation that are CPU."""
    [row] = [
        row for row in handler["rows"] if (row["contender"], row["batch"], row["latency_ms"]) == (contender, batch, 4)
    ]
    return at_memory(float(row["cpu_us_per_order"]) * batch / 1000)


def at_memory(milliseconds: float) -> float:
    """Stretch CPU time by the share of a CPU that comes with the memory."""
    return milliseconds / (MEMORY / MEMORY_OF_A_CPU.value)
