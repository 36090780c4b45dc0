"""The benchmark's streams cost what its targets allow, and have what a queue brings."""

import pytest

from tests.bench import events, streams


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "ORDERS", 800)
    monkeypatch.setattr(events, "OPEN", 400)


def test_learning_saves_the_second_statement_and_costs_next_to_nothing_where_it_cannot() -> None:
    measured = streams.measure()
    assert [target.met for target in streams.targets(measured)] == [True, True]
    assert measured[streams.SHOP][0] > 1.5
