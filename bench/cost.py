"""Reckons what a million orders cost, by service, for ours and the original handler, from the CPU that was measured."""

from typing import Any

from bench.limits import MEMORY_OF_A_CPU
from ops.cost import Workload, by_service, duration, monthly_cost
from ops.prices import AS_OF, REGION

BATCHES = (1, 10, 100)
MEMORY = 512
ROUND_TRIP = 5.0
"""Milliseconds of a call to DynamoDB from a function in its region."""
MANY = 1_000_000_000
"""Orders: so many that what is paid by the month, whatever the load, does not show."""
SERVICES = ("SNS", "SQS", "Lambda", "DynamoDB", "CloudWatch")


def measure(handler: dict[str, Any]) -> dict[str, Any]:
    """Price both handlers at each batch size."""
    rows = [_row(handler, name, batch) for batch in BATCHES for name in ("original", "ours")]
    return {"prices_as_of": AS_OF, "region": REGION, "memory_mb": MEMORY, "round_trip_ms": ROUND_TRIP, "rows": rows}


def _row(handler: dict[str, Any], contender: str, batch: int) -> dict[str, Any]:
    workload = Workload(
        orders=MANY,
        batch=batch,
        memory=MEMORY,
        own_time=cpu_ms(handler, contender, batch),
        round_trip=ROUND_TRIP,
        single_writes=contender == "original",
        alarms=0,
    )
    dollars = {name: value * 1e6 / MANY for name, value in by_service(monthly_cost(workload)).items()}
    return {
        "contender": contender,
        "batch": batch,
        "invocation_ms": round(duration(workload), 1),
        **{name: round(dollars[name], 3) for name in SERVICES},
        "total": round(sum(dollars[name] for name in SERVICES), 3),
    }


def cpu_ms(handler: dict[str, Any], contender: str, batch: int) -> float:
    """Milliseconds of an invocation that are CPU, at the share of a CPU that comes with the memory."""
    [row] = [
        row for row in handler["rows"] if (row["contender"], row["batch"], row["latency_ms"]) == (contender, batch, 4)
    ]
    share = MEMORY / MEMORY_OF_A_CPU.value
    return float(row["cpu_us_per_order"]) * batch / 1000 / share
