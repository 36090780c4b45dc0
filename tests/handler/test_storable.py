"""What DynamoDB can hold: further attributes as they are, numbers, nesting and size within its limits."""

import functools
import json
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import assume, example, given
from hypothesis import strategies as st

from functions.process_order import orders
from functions.process_order.orders import parse
from tests.fakes.events import EXAMPLE, body, reason

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**37), 10**37) | st.text() | st.decimals(-1000, 1000, places=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=6,
)


def spell(value: Any) -> str:
    """Spell JSON with decimals as they are."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return f"[{','.join(map(spell, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(name)}:{spell(member)}' for name, member in value.items())}}}"
    return json.dumps(value)


@given(extra=st.dictionaries(st.text(min_size=1), json_values, max_size=3))
@example(extra={"extra": {"extra": 1}, "version": "x", "Type": [Decimal("-0.000")]})
def test_no_further_attribute_is_dropped_or_changed(extra: dict[str, Any]) -> None:
    assume(not extra.keys() & set(orders.ATTRIBUTES))
    item = parse(spell({**EXAMPLE, **extra})).item
    assert TypeDeserializer().deserialize(item["extra"]) == extra


@pytest.mark.parametrize(
    ("spelt", "stored"),
    [
        ("1.0", "1"),
        ("-0", "0"),
        ("0e-999", "0"),
        ("1e2", "100"),
        ("1" + "0" * 40, "1E+40"),
        ("1e-130", "1E-130"),
        ("9.9999999999999999999999999999999999999e125", "9.9999999999999999999999999999999999999E+125"),
    ],
)
def test_a_number_has_one_spelling(spelt: str, stored: str) -> None:
    assert parse(body(note="?").replace('"?"', spelt)).item["extra"]["M"]["note"] == {"N": stored}


@pytest.mark.parametrize(
    "spelt",
    ["1e126", "1e-131", "-1e126", "9" * 39, "1." + "0" * 37 + "1", "9" * 5000, "1e99999999999999999999", "5e-131"],
)
def test_a_number_that_dynamodb_cannot_hold_is_rejected(spelt: str) -> None:
    assert reason(body(note="?").replace('"?"', spelt)).startswith("a number must have at most 38 significant digits")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_stops_at_32_levels(opening: str) -> None:
    closing = "]" if opening == "[" else "}"

    def nested(containers: int) -> str:
        return body(note="?").replace('"?"', opening * containers + "1" + closing * containers)

    # `extra` is level 1, `note` level 2, so the number in 30 containers is at level 32.
    assert parse(nested(30))
    for containers in (31, 300, 10_000, 100_000):
        assert reason(nested(containers)).startswith("the item must be nested at most 32 levels deep")


@pytest.mark.parametrize("empty", [[], {}])
def test_the_last_level_holds_no_empty_list_or_map(empty: Any) -> None:
    assert parse(body(note=functools.reduce(lambda inner, _: [inner], range(29), empty)))
    assert reason(body(note=functools.reduce(lambda inner, _: [inner], range(30), empty))).startswith("the item must")


@pytest.mark.parametrize("name", ["", "x" * 65_536, "\u00e9" * 32_768])
def test_a_name_that_dynamodb_cannot_hold_is_rejected_at_any_depth(name: str) -> None:
    for further in ({name: 1}, {"note": {name: 1}}, {"note": [[{name: 1}]]}):
        assert reason(body(**further)) == "an attribute's name must have 1 to 65535 bytes"
    assert parse(body(**{name[:-1] or "x": 1}))


@pytest.mark.parametrize(
    ("spelt", "size"),
    [
        ("true", 1),
        ("0", 1),
        ("-1", 3),
        ("123", 3),
        ("1200", 2),
        ("-1234", 4),
        ("-" + "9" * 38, 21),
        ("1.5", 3),
        ("0.001", 2),
        ("1.2345678901234567890123456789012345678", 21),
    ],
)
def test_a_value_has_the_size_that_dynamodb_counts(spelt: str, size: int) -> None:
    # Measured on DynamoDB Local with 2,000 of each in an item near the limit.
    values = f"[{','.join([spelt] * 2000)}]"
    room = orders.MAX_ITEM_SIZE - size_of(parse(body(note="")).item) - len("pad") - 2000 * (size + 1) - 3 - 1
    fits, exceeds = (body(note="?", pad="x" * length).replace('"?"', values) for length in (room, room + 1))
    assert parse(fits)
    assert reason(exceeds).startswith("the item must be at most")


def test_an_item_is_at_most_400_kilobytes() -> None:
    room = orders.MAX_ITEM_SIZE - size_of(parse(body(note="")).item)
    assert parse(body(note="x" * room))
    assert reason(body(note="x" * (room + 1))) == "the item must be at most 409600 bytes large, got more"
    assert parse(body(note="\u00e9" * (room // 2)))
    assert parse(body(note=["\n" * (room - 100), 1, None, {"a": True}]))


def size_of(item: dict[str, dict[str, Any]]) -> int:
    """Count a flat item by hand: names and texts, 2 for a one-digit number, 3 for the map and 1 for its member."""
    [note] = item["extra"]["M"].values()
    texts = sum(len(name) + len(value["S"]) for name, value in item.items() if "S" in value)
    return texts + len("quantity") + 2 + len("extra") + 3 + 1 + len("note") + len(note["S"])
