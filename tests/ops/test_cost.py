"""Cost: arithmetic that can be followed by hand, on prices that say when and where they were true."""

import re
from dataclasses import replace

import pytest

from tests.ops.cloud import Command
from tools.ops import prices
from tools.ops.cost import IDLE_RECEIVES, Charge, Workload, batch_of, by_service, duration, monthly_cost

BUSY = Workload(events=100_000_000, batch=10)


def charge(workload: Workload, price: prices.Price) -> Charge:
    [found] = [charge for charge in monthly_cost(workload) if charge.price == price]
    return found


def test_a_busy_month_by_hand() -> None:
    units = {c.price.unit: c.units for c in monthly_cost(BUSY)}
    assert units == {
        "publish requests of 64 KB": 100e6,
        "requests of 64 KB": 20e6,  # a receive and a delete of ten
        "invocations": 10e6,
        "GB-seconds": pytest.approx(10e6 * 0.009 * 0.5),  # 3 ms of its own and one call of 6 ms
        "write request units": 100e6,
        "GB of log": 12.0,
        "alarms": 12,
        "metrics of its own": 4,
        "dashboards": 1,
        "keys": 1,
    }
    dollars = by_service(monthly_cost(BUSY))
    assert dollars == pytest.approx(
        {"SNS": 50.0, "SQS": 8.0, "Lambda": 2.0 + 0.600003, "DynamoDB": 62.5, "CloudWatch": 11.4, "KMS": 1.0}, rel=1e-6
    )


def test_an_idle_queue_is_polled_all_month() -> None:
    assert charge(Workload(events=1), prices.QUEUE_REQUEST).units == pytest.approx(IDLE_RECEIVES, abs=1)


def test_one_put_per_message_takes_longer_and_writes_no_less() -> None:
    single = replace(BUSY, single_writes=True)
    assert duration(single) == 63.0
    assert charge(single, prices.COMPUTE["arm64"]).dollars > 5 * charge(BUSY, prices.COMPUTE["arm64"]).dollars
    assert charge(single, prices.WRITE) == charge(BUSY, prices.WRITE)


def test_writes_are_billed_as_measured_and_a_put_is_one() -> None:
    inserting_first = replace(BUSY, writes=1.7)
    assert charge(inserting_first, prices.WRITE).units == pytest.approx(170e6)
    assert charge(replace(inserting_first, single_writes=True), prices.WRITE).units == 100e6


@pytest.mark.parametrize(
    ("events", "batch_size", "window", "batch"),
    [
        (10e6, 10, 0, 1.0),  # 3.9 a second: each message is received as soon as it is there
        (10e6, 100, 1, 1.0),
        (100e6, 100, 1, 7.7),  # 38.6 a second, shared by five pollers
        (100e6, 100, 300, 100.0),
    ],
)
def test_a_batch_is_what_the_rate_fills(events: float, batch_size: int, window: float, batch: float) -> None:
    workload = Workload(events=events, batch_size=batch_size, window=window)
    assert batch_of(workload) == pytest.approx(batch, abs=0.05)
    assert batch_of(replace(workload, batch=3)) == 3


def test_a_thin_month_by_hand() -> None:
    dollars = by_service(monthly_cost(Workload(events=10_000_000)))
    # A receive, a delete, an invocation and 1,200 bytes of log for each message; 12 alarms, 4 metrics and a dashboard.
    assert dollars == pytest.approx(
        {"SNS": 5.0, "SQS": 8.0, "Lambda": 2.0 + 0.6, "DynamoDB": 6.25, "CloudWatch": 6.0 + 5.4, "KMS": 1.0}, rel=1e-5
    )


def test_a_measured_duration_counts_for_the_pipeline_as_it_is() -> None:
    assert duration(replace(BUSY, duration=42.0)) == 42.0
    assert duration(replace(BUSY, duration=42.0, single_writes=True)) == 63.0


def test_large_messages_are_billed_by_their_size() -> None:
    large = replace(BUSY, size=100 * 1024, publish_batch=2)
    assert charge(large, prices.PUBLISH).units == 50e6 * 4  # 200 KB in a request
    assert charge(large, prices.WRITE).units == 100e6 * 100
    assert charge(large, prices.QUEUE_REQUEST).units == 10e6 * 16 + 10e6  # 1000 KB in a receive


def test_every_price_says_where_it_is_from() -> None:
    assert re.fullmatch(r"20[0-9]{2}-[01][0-9]", prices.AS_OF)
    assert all(re.fullmatch(r"https://aws\.amazon\.com/\w+/pricing/(on-demand/)?", p.page) for p in prices.PRICES)
    assert {c.price for c in monthly_cost(BUSY)} <= set(prices.PRICES)


def test_the_command_shows_both_bills_and_the_date(command: Command) -> None:
    shown = command("cost", "--events", "100000000", "--batch", "10")
    assert shown.status == 0
    assert f"as of {prices.AS_OF}" in shown.out
    assert re.search(r"^total +\$135\.50 +\$139\.10$", shown.out, re.MULTILINE)
    figures = command("cost", "--events", "100000000", "--batch", "10", "--json").json()
    assert figures["total"]["batched"] == pytest.approx(135.50, abs=0.005)
    assert figures["dollars"]["onePutPerMessage"]["DynamoDB"] == 62.5
