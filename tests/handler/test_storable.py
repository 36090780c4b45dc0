"""What DynamoDB can hold: further attributes as they are, numbers, nesting and size within its limits."""

import json
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fakes.events import EXAMPLE, body
from functions.process_order import orders
from functions.process_order.orders import Rejected, parse


def reason(text: object) -> str:
    with pytest.raises(Rejected) as rejected:
        parse(text)
    return str(rejected.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**37), 10**37) | st.text() | st.decimals(-1000, 1000, places=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
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


@given(extra=st.dictionaries(st.text(), json_values, max_size=5))
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
        ("-0.0e5", "0"),
        ("0e-999", "0"),
        ("1e2", "100"),
        ("2.50", "2.5"),
        ("1" + "0" * 40, "1E+40"),
        ("1e-130", "1E-130"),
        ("9.9999999999999999999999999999999999999e125", "9.9999999999999999999999999999999999999E+125"),
        ("1." + "0" * 200, "1"),
        ("-" + "9" * 38, "-" + "9" * 38),
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


def test_an_item_is_at_most_400_kilobytes() -> None:
    room = orders.MAX_ITEM_SIZE - size_of(parse(body(note="")).item)
    assert size_of(parse(body(note="x" * room)).item) == orders.MAX_ITEM_SIZE
    assert reason(body(note="x" * (room + 1))) == "the item must be at most 409600 bytes large, got more"
    assert parse(body(note="\u00e9" * (room // 2)))
    assert parse(body(note=["\n" * (room - 100), 1, None, {"a": True}]))


def size_of(item: dict[str, dict[str, Any]]) -> int:
    """Count a flat item by hand: names and texts, 2 for a one-digit number, 3 for the map and 1 for its member."""
    [note] = item["extra"]["M"].values()
    texts = sum(len(name) + len(value["S"]) for name, value in item.items() if "S" in value)
    return texts + len("quantity") + 2 + len("extra") + 3 + 1 + len("note") + len(note["S"])
