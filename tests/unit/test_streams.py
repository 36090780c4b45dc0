"""The benchmark's streams, and the stand-in for DynamoDB that they are written into."""

import boto3
import pytest

from functions.process_order.orders import parse
from functions.process_order.store import STORED, SUPERSEDED, Store
from tests.bench import streams
from tests.bench.events import STREAMS, stream_of
from tests.bench.standin import standing_in
from tests.fakes.events import body
from tests.fakes.table import executing


def test_learning_saves_the_second_statement_and_costs_next_to_nothing_where_it_cannot() -> None:
    measured = streams.measure(quick=True)
    assert [target.met for target in streams.targets(measured)] == [True, True]
    assert measured[streams.SHOP]["insert_first"]["statements"] > 1.6


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
        assert standin.ask()["requests"] == 7  # 1 for the new order, 3 for the older event, 3 puts
