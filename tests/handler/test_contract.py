"""The contract: what an order must be, rule by rule."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from functions.process_order import orders
from functions.process_order.orders import parse, problems
from tests.fakes.events import EXAMPLE, body, reason, without

NEVER = "~"
"""A latest version that no timestamp exceeds."""


@pytest.mark.parametrize("name", orders.ATTRIBUTES)
def test_every_attribute_is_required(name: str) -> None:
    assert reason(without(name)).startswith(f"{name} must ")
    assert reason(without(name)).endswith("got nothing")


@pytest.mark.parametrize("name", ["orderId", "userId", "itemName", "status"])
@pytest.mark.parametrize(
    ("value", "got"),
    [
        ("", "an empty string"),
        (None, "null"),
        (7, "a number"),
        (["O1"], "a list"),
        ({"id": "O1"}, "an object"),
    ],
)
def test_a_text_is_a_non_empty_string(name: str, value: object, got: str) -> None:
    assert reason(body(**{name: value})) == f"{name} must be a non-empty string, got {got}"


def test_an_order_id_fits_a_partition_key() -> None:
    widest = "\U0001f4e6" * orders.MAX_ORDER_ID
    assert len(parse(body(orderId=widest)).order_id.encode()) == 2048
    assert "512 characters" in reason(body(orderId=widest + "x"))


@pytest.mark.parametrize("value", ["1", "1.0", "10e-1", "1000", str(orders.MAX_QUANTITY)])
def test_a_quantity_is_an_integer_however_it_is_spelt(value: str) -> None:
    text = body(quantity="?").replace('"?"', value)
    assert parse(text).item["quantity"] == {"N": str(int(Decimal(value)))}


@pytest.mark.parametrize(
    "value", ["0", "1.5", "1.00000000000000000001", "true", '"1"', "9007199254740992", "1e999999999"]
)
def test_a_quantity_is_at_least_1_whole_and_exact(value: str) -> None:
    assert reason(body(quantity="?").replace('"?"', value)).startswith("quantity must be an integer from 1 to ")


@pytest.mark.parametrize(
    "value",
    [
        "2025-05-03T12:00:00.123456789+05:45",
        "2025-05-03T23:59:59-23:59",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00-01:00",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59+01:00",
    ],
)
def test_a_timestamp_has_a_date_a_time_with_seconds_and_a_zone(value: str) -> None:
    assert parse(body(timestamp=value), NEVER).item["timestamp"] == {"S": value}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2025-05-03T12:00:00",
        "2025-05-03T12:00Z",
        "2025-05-03t12:00:00z",
        "2025-05-03T12:00:00+0200",
        "2025-05-03T12:00:00+01:60",
        "2025-05-03T12:00:00.1234567890Z",
        "2025-05-03T24:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2025-05-03T12:00:00Z\n",
        "２０２５-05-03T12:00:00Z",  # noqa: RUF001 - digits, but not ASCII ones
    ],
)
def test_any_other_timestamp_is_rejected(value: str) -> None:
    assert reason(body(timestamp=value)).startswith("timestamp must be a date and time with seconds and a zone")


@pytest.mark.parametrize("year", [1, 4, 96, 100, 400, 1600, 1900, 1970, 2000, 2023, 2024, 2100, 2400, 9996, 9999])
def test_the_pattern_knows_the_calendar(year: int) -> None:
    for month in range(14):
        for day in range(33):
            try:
                real = bool(date(year, month, day))
            except ValueError:
                real = False
            timestamp = f"{year:04}-{month:02}-{day:02}T12:00:00Z"
            assert (problems({**EXAMPLE, "timestamp": timestamp}) == []) is real, timestamp


def test_all_problems_are_told_at_once() -> None:
    text = reason('{"orderId": "O1", "userId": "", "quantity": true, "timestamp": "2025"}')
    assert [part.split()[0] for part in text.split("; ")] == ["userId", "itemName", "status", "quantity", "timestamp"]


@pytest.mark.parametrize("text", ["[]", "null", "true", "1", '"order"', "[{}]"])
def test_an_order_is_an_object(text: str) -> None:
    assert reason(text).startswith("an order must be a JSON object, got ")


@pytest.mark.parametrize("text", ["", "{", "{]", "\ufeff{}", "{'a': 1}", '{"a": 1,}', body() + "x", '{"a": "\n"}'])
def test_a_body_is_json(text: str) -> None:
    assert reason(text).startswith("the body must be JSON, got something else at character ")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_json_does_not_know_as_a_number_is_rejected(number: str) -> None:
    assert reason(body(note="?").replace('"?"', number)) == "the body must be JSON, got NaN or Infinity"


def test_an_attribute_is_given_once() -> None:
    twice = body()[:-1] + ', "status": "paid"}'
    assert reason(twice) == "an object must name each attribute once, got the same name twice"
    assert reason(body(note="?").replace('"?"', '{"a": 1, "\\u0061": 2}')).startswith("an object must name each")
    assert reason(body(timestamp=5)[:-1] + ', "status": 5}')  # with the quotation marks of an order
    inner, names = body().replace('"', r"\u0022"), '"a": 1, ' * 7  # so has this
    envelope = f'{{{names}"Type": "Notification", "Message": "{inner}"}}'
    assert reason(envelope).startswith("an object must name each")


@pytest.mark.parametrize("name", ["orderId", "userId", "note"])
def test_half_of_a_surrogate_pair_is_rejected(name: str) -> None:
    assert reason(body(**{name: "a\ud800b"})) == "the body must be valid Unicode, got half of a surrogate pair"
    assert reason(body(note={"\udfff": 1})) == "the body must be valid Unicode, got half of a surrogate pair"
    assert parse(body(**{name: "a\U0001f4e6b"}))


def test_the_envelope_of_a_notification_is_opened() -> None:
    envelope = {"Type": "Notification", "MessageId": "n1", "TopicArn": "arn", "Message": body()}
    assert parse(json.dumps(envelope)) == parse(body())
    assert "JSON" in reason(json.dumps({**envelope, "Message": "x"}))
    assert "orderId must" in reason(json.dumps({**envelope, "Message": json.dumps(envelope)}))


def test_an_order_with_attributes_of_an_envelope_is_an_order() -> None:
    item = parse(body(Type="Notification", Message=body(orderId="other"))).item
    assert item["orderId"] == {"S": "O1234"}
    assert set(item["extra"]["M"]) == {"Type", "Message"}


@pytest.mark.parametrize("changes", [{"Type": "SubscriptionConfirmation"}, {"Message": 5}, {"Message": None}])
def test_what_only_resembles_an_envelope_is_not_opened(changes: dict[str, Any]) -> None:
    assert "orderId must" in reason(json.dumps({"Type": "Notification", "Message": body(), **changes}))
