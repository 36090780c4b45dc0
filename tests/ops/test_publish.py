"""Reading and checking orders, and exports of them, before they are sent."""

import json

import pytest

from functions.process_order.orders import parse
from tests.ops.cloud import order
from tools.ops.export import read_export
from tools.ops.failure import Failure
from tools.ops.publish import check, generate, read_bodies

ONE, TWO = json.dumps(order()), json.dumps(order(quantity=2))
LONG = json.dumps(order(), indent=2)
DEEP = "[" * 9000 + "]" * 9000
SEPARATED = json.dumps(order(itemName="a\u2028b\u2029c\x85d"), ensure_ascii=False)
"""An order whose text holds what other formats take for the end of a line."""


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        (ONE, [ONE]),
        (f"\n{ONE}\n\n  {TWO}\n", [ONE, TWO]),
        (f"[{ONE},\n {TWO}]", [ONE, TWO]),
        (LONG, [LONG]),
        ("[]", []),
        ("", []),
        (f'[{DEEP}, {{"a": 1, "a": 2,}}]', [DEEP, '{"a": 1, "a": 2,}']),
        (f"{DEEP}\n{ONE}", [DEEP, ONE]),
        ('[1.10, {"a": 1e400}, "x, ]"]', ["1.10", '{"a": 1e400}', '"x, ]"']),
        (f"{ONE}\nnot json", [ONE, "not json"]),
        (f"{SEPARATED}\n{ONE}\r\n{SEPARATED}", [SEPARATED, ONE, SEPARATED]),
    ],
)
def test_orders_are_read_letter_for_letter(text: str, bodies: list[str]) -> None:
    assert read_bodies(text) == bodies


def test_an_export_that_was_written_again_with_its_characters_as_they_are_is_read() -> None:
    message = {"messageId": "m1", "source": "queue", "body": SEPARATED}
    text = "".join(json.dumps(message, ensure_ascii=False) + "\n" for _ in range(2))
    assert [each.body for each in read_export(text)] == [SEPARATED] * 2


def test_without_the_contract_only_the_size_is_checked() -> None:
    check(["not json"], contract=False)
    with pytest.raises(Failure, match="order 1: a message must be at most 262144 bytes long"):
        check(["x" * 262_145], contract=False)


def test_generated_orders_keep_the_contract_and_have_ids_of_their_own() -> None:
    bodies = list(generate(200))
    check(bodies)
    assert len({parse(body).order_id for body in bodies}) == 200
    assert {parse(body).order_id for body in generate(5)}.isdisjoint(parse(body).order_id for body in bodies)
