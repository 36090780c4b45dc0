"""The simulator agrees with what can be estimated by hand."""

from collections.abc import Callable

import pytest
import yaml

from tests.bench import limits
from tests.bench.simulation import FULL_SPEED, TICK, Settings, Work, simulate
from tools.root import ROOT

WORK = Work(fixed=0.1, per_event=0.001)
AMPLE = Settings(
    batch_size=100, maximum_concurrency=1000, warm_writes=1e9, table_writes=1e9, publishes=1e9, account_concurrency=1e9
)
"""No limit but those of the event source mapping."""
TAIL = 5 * TICK
"""Seconds: the last batches are not full, and take longer for each event."""


def burst(events: float) -> Callable[[float], float]:
    return lambda time: events / TICK if time == 0 else 0.0


def changed(**changes: float) -> Settings:
    return Settings(**{**AMPLE.__dict__, **changes})


def test_a_light_load_never_waits_and_keeps_to_littles_law() -> None:
    rate = 40.0  # 8 a second for each of the first five invocations: batches of one
    run = simulate(lambda _: rate, AMPLE, WORK, seconds=60)
    last = run.samples[-1]
    assert run.saturated == FULL_SPEED
    assert last.stored == pytest.approx(rate)
    assert last.concurrency == pytest.approx(rate * WORK.duration(1), rel=0.01)  # L = λ W


def test_a_burst_drains_at_the_rate_of_its_invocations() -> None:
    events, most = 100_000, 5
    run = simulate(burst(events), changed(maximum_concurrency=most), WORK, seconds=200)
    rate = most * 100 / WORK.duration(100)
    assert run.drained == pytest.approx(events / rate, abs=TAIL)
    assert run.oldest == pytest.approx(events / rate, abs=TAIL)
    assert run.saturated == "orders:maximumConcurrency"


def test_the_mapping_adds_300_invocations_a_minute() -> None:
    events = 1_000_000
    run = simulate(burst(events), AMPLE, WORK, seconds=120)
    per_invocation = 100 / WORK.duration(100)
    # events = per_invocation * (5 t + 5 t² / 2)
    seconds = -1 + (1 + 2 * events / (5 * per_invocation)) ** 0.5
    assert run.drained == pytest.approx(seconds, rel=0.02)
    assert run.saturated == limits.MORE_INVOKES.name


def test_a_backlog_grows_by_what_the_table_does_not_take() -> None:
    rate, writes, seconds = 5000.0, 4000.0, 600
    run = simulate(lambda _: rate, changed(warm_writes=writes), WORK, seconds=seconds)
    last = run.samples[-1]
    assert last.backlog == pytest.approx((rate - writes) * seconds, rel=0.01)
    assert last.age == pytest.approx(last.backlog / rate, rel=0.01)
    assert run.drained is None
    assert run.saturated == limits.NEW_TABLE_WRITES.name


def test_the_table_serves_twice_its_peak_after_half_an_hour() -> None:
    run = simulate(lambda _: 20_000.0, changed(warm_writes=4000, table_writes=10_000), WORK, seconds=5500)
    stored = {sample.time: sample.stored for sample in run.samples}
    assert [stored[time] for time in (600.0, 1900.0, 3700.0)] == pytest.approx([4000, 8000, 10_000])


def test_a_publisher_waits_for_the_quota_of_sns() -> None:
    run = simulate(burst(90_000), changed(publishes=30_000), Work(fixed=0.001, per_event=0), seconds=10)
    assert run.drained == pytest.approx(3, abs=TAIL)
    assert run.saturated == limits.PUBLISHES.name


def test_an_event_that_takes_two_writes_takes_twice_as_long() -> None:
    settings = changed(warm_writes=4000, writes_per_event=2)
    run = simulate(burst(8000), settings, Work(fixed=0.001, per_event=0), seconds=9)
    assert run.drained == pytest.approx(4, abs=TAIL)


def test_every_event_is_stored_or_still_waits() -> None:
    settings = changed(maximum_concurrency=7, warm_writes=1000, publishes=2500)
    run = simulate(lambda time: 3000.0 if time < 20 else 0.0, settings, WORK, seconds=50)
    last = run.samples[-1]
    stored = sum(sample.stored for sample in run.samples) * TICK
    assert stored + last.backlog + last.unpublished == pytest.approx(60_000)
    assert last.backlog > 0


def test_the_quotas_are_those_of_the_stacks_region() -> None:
    assert yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]["aws:region"] == limits.REGION
