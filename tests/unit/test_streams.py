"""The benchmark's streams: learning saves the second statement, and costs next to nothing where it cannot."""

from bench import results, streams
from bench.events import STREAMS, stream_of


def test_the_counts_are_those_of_the_page_and_reach_their_targets() -> None:
    measured, stored = streams.measure(quick=True), results.load()["streams"]
    kinds = ("stream", "contender", "statements", "round_trips")
    assert measured["rows"] == [{kind: row[kind] for kind in kinds} for row in stored["rows"]]
    assert measured["writes_per_event"] == stored["writes_per_event"]
    assert [target.met for target in streams.targets(measured)] == [True, True]
    counts = {(row["stream"], row["contender"]): row["statements"] for row in measured["rows"]}
    assert counts[streams.SHOP, "insert_first"] > 1.6


def test_a_shops_day_has_duplicates_and_late_events() -> None:
    for name in STREAMS:
        events = list(stream_of(name))
        assert 0.03 < 1 - len(set(events)) / len(events) < 0.07
        assert events == list(stream_of(name))
