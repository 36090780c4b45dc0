"""The JSON Schema of an order accepts what the handler accepts, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from functions.process_order import orders
from functions.process_order.orders import parse, problems
from tests.fakes.events import EXAMPLE

SCHEMA = json.loads((Path(orders.__file__).parent / "order.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_a_schema_and_its_example_is_an_order() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert parse(json.dumps(SCHEMA["examples"][0])).order_id == "O1234"


def test_the_schema_and_the_handler_hold_the_same_bounds() -> None:
    properties = SCHEMA["properties"]
    assert properties["timestamp"]["pattern"] == orders.TIMESTAMP
    assert properties["orderId"]["maxLength"] == orders.MAX_ORDER_ID
    assert properties["quantity"]["maximum"] == orders.MAX_QUANTITY
    assert "more than a day ahead of the clock of the function is rejected" in properties["timestamp"]["description"]
    assert orders.MAX_AHEAD == 24 * 60 * 60
    assert tuple(SCHEMA["required"]) == tuple(properties) == orders.ATTRIBUTES


@given(st.integers(0, 20), st.text("0123456789TZtz:.+- \n\u0663", max_size=2), st.integers(0, 2))
def test_schema_and_handler_agree_on_a_timestamp_with_a_typo(at: int, typo: str, lost: int) -> None:
    text = EXAMPLE["timestamp"]
    document = {**EXAMPLE, "timestamp": text[:at] + typo + text[at + lost :]}
    assert (problems(document) == []) == VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: ""} for name in ("orderId", "userId", "itemName", "status")),
        *({"quantity": value} for value in (0, 1.5, 1.0, True, "1", 2**53, 2**53 - 1, float(2**53), 10**40, 5e-324)),
        *({"timestamp": f"2025-05-0{end}"} for end in ("3T12:00:00Z\n", "\u0663T12:00:00Z")),
        *({"timestamp": f"{year}:59-01:00"} for year in ("0000-01-01T00:00", "9999-12-31T23:59")),
        *({"orderId": "\U0001f4e6" * length} for length in (512, 513)),
    ],
)
def test_schema_and_handler_agree(changes: dict[str, Any]) -> None:
    document = {**EXAMPLE, **changes}
    assert (problems(document) == []) == VALIDATOR.is_valid(document)
