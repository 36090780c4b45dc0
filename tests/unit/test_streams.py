"""The benchmark's streams: learning saves the second statement, and costs next to nothing where it cannot."""

from random import Random

from bench import results, streams


def test_the_counts_are_those_of_the_page_and_reach_their_targets() -> None:
    measured = streams.measure()
    assert measured["rows"] == results.load()["streams"]["rows"]
    assert [target.met for target in streams.targets(measured)] == [True, True]
    inserting = [row["statements_per_event"] for row in measured["rows"] if row["contender"] == "INSERT first"]
    assert inserting[0] > 1.6


def test_a_shops_day_has_duplicates_and_late_events() -> None:
    events = list(streams.stream(streams.STATUSES, 6, Random(streams.SEED)))
    assert 0.03 < 1 - len(set(events)) / len(events) < 0.07
