"""The benchmark's streams: learning saves the second statement, and costs next to nothing where it cannot."""

import boto3
import pytest

from functions.process_order.orders import parse
from functions.process_order.store import STORED, SUPERSEDED, Store
from tests.bench import results, streams
from tests.bench.events import STREAMS, stream_of
from tests.bench.standin import standing_in
from tests.fakes.events import body
from tests.fakes.table import executing


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


def test_a_stand_in_that_stores_answers_by_what_it_holds() -> None:
    older, newer = (parse(body(timestamp=f"2025-05-0{day}T12:00:00Z")) for day in (3, 4))
    with standing_in() as standin:
        client = boto3.client(
            "dynamodb", "eu-west-1", endpoint_url=standin.endpoint, aws_access_key_id="a", aws_secret_access_key="b"
        )
        standin.ask(storing=True)
        store = Store(executing(client), "Orders")
        assert [store.write([order], store.clock() + 9)["O1234"] for order in (newer, older)] == [STORED, SUPERSEDED]
        client.put_item(TableName="Orders", Item=older.item)
        with pytest.raises(client.exceptions.ConditionalCheckFailedException):
            client.put_item(TableName="Orders", Item=older.item, ConditionExpression="older")
        client.put_item(TableName="Orders", Item=newer.item, ConditionExpression="older")
        assert standin.ask()["requests"] == 6
