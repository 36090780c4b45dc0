"""The JSON Schema of an order accepts what the handler accepts, and nothing else."""

import json
from pathlib import Path
from typing import Any

from hypothesis import example, given
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


valid_orders = st.fixed_dictionaries(
    {name: st.text(min_size=1, max_size=20) for name in ("orderId", "userId", "itemName", "status")}
    | {
        "quantity": st.integers(1, orders.MAX_QUANTITY) | st.integers(1, 2**50).map(float),
        "timestamp": st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    }
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
near_quantities = st.sampled_from(
    [0, 1, -1, 0.0, 1.0, 1.5, -0.0, 2**53, 2**53 - 1, float(2**53), 1e300, 10**40, True, False, "1", 5e-324]
)
near_lengths = st.integers(510, 514).map("x".__mul__)


@st.composite
def near_orders(draw: st.DrawFn) -> Any:
    """Break a valid order in one or two places, or barely not."""
    order: dict[str, Any] = draw(valid_orders)
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(orders.ATTRIBUTES))
        match draw(st.sampled_from(["drop", "replace", "typo", "quantity", "length"])):
            case "drop":
                order.pop(name, None)
            case "replace":
                order[name] = draw(anything)
            case "typo":
                text = str(order.get("timestamp", ""))
                at = draw(st.integers(0, len(text)))
                typo = draw(st.text("0123456789TZtz:.+- \n\u0663", max_size=2))
                order["timestamp"] = text[:at] + typo + text[at + draw(st.integers(0, 2)) :]
            case "quantity":
                order["quantity"] = draw(near_quantities)
            case "length":
                order["orderId"] = draw(near_lengths)
    return order


@given(near_orders() | anything)
@example({**EXAMPLE, "orderId": ""})
@example({**EXAMPLE, "status": ""})
@example({**EXAMPLE, "quantity": 0})
@example({**EXAMPLE, "timestamp": "2025-05-03T12:00:00Z\n"})
@example({**EXAMPLE, "timestamp": "2025-05-0\u0663T12:00:00Z"})
@example({**EXAMPLE, "timestamp": "0000-01-01T00:00:00Z"})
@example({**EXAMPLE, "quantity": True})
@example({**EXAMPLE, "quantity": 2**53})
@example({**EXAMPLE, "orderId": "\U0001f4e6" * 513})
def test_schema_and_handler_agree(document: Any) -> None:
    assert (problems(document) == []) == VALIDATOR.is_valid(document)
