"""The JSON Schema of an order accepts what the handler accepts, and nothing else."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from functions.process_order import orders
from functions.process_order.orders import parse, problems
from tests.fakes.events import EXAMPLE, SCHEMA, body

VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_a_schema_and_its_example_is_an_order() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert parse(body()).order_id == "O1234"


def test_the_schema_and_the_handler_hold_the_same_bounds() -> None:
    properties = SCHEMA["properties"]
    assert properties["timestamp"]["pattern"] == orders.TIMESTAMP
    assert properties["orderId"]["maxLength"] == orders.MAX_ORDER_ID
    assert properties["quantity"]["maximum"] == orders.MAX_QUANTITY
    assert "more than a day ahead of the clock of the function is rejected" in properties["timestamp"]["description"]
    assert orders.MAX_AHEAD == 24 * 60 * 60
    assert tuple(SCHEMA["required"]) == tuple(properties) == orders.ATTRIBUTES


@pytest.mark.parametrize(
    "changes",
    [
        *({name: ""} for name in ("orderId", "userId", "itemName", "status")),
        *({"quantity": value} for value in (0, 1.5, 1.0, True, "1", 2**53, 2**53 - 1, float(2**53), 10**40, 5e-324)),
        *({"timestamp": f"2025-05-03T12:00:00Z{end}"} for end in ("\n", "")),
        *({"orderId": "\U0001f4e6" * length} for length in (512, 513)),
    ],
)
def test_schema_and_handler_agree(changes: dict[str, Any]) -> None:
    document = {**EXAMPLE, **changes}
    assert (problems(document) == []) == VALIDATOR.is_valid(document)
