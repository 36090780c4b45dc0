"""Generates message bodies and whole events, valid and broken, and judges them without the handler's help."""

import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from functions.process_order import orders

CANARY = "PAYLOAD"
"""Stands in every text of a generated message that no log line may show."""
LARGE = 420_000
"""Characters of a body that no item can hold; generated bodies are either smaller by far, or larger."""
SCHEMA = json.loads((Path(orders.__file__).parent / "order.schema.json").read_text())
_VALIDATOR = Draft202012Validator(SCHEMA)
_TEXTS = ("", "x", "\x00", "\n", "\x1b[2J", "\u202e", "\ud800", "\U0001f4e6", "null", "'; --", "NaN", "é" * 300)
_NUMBERS = (
    *("0", "1", "-0", "1.0", "1.5", "-1", "1e2", "9007199254740991", "9007199254740992", "1E+999999999999999999999"),
    *("1E+125", "9.99E+125", "1E+126", "1E-130", "1E-131", "0." + "1" * 38, "0." + "1" * 39, "1" * 38 + "0" * 20),
    *("9" * 39, "9" * 5000, "1E400", "0E-999999", "-1E+125", "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1."),
)
_TIMESTAMPS = (
    *("2025-05-03T12:00:00Z", "2025-05-03T12:00:00.123456789+05:30", "2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z"),
    *("2025-05-03T12:00:00", "2025-05-03T24:00:00Z", "2025-05-03T23:59:60Z", "0000-01-01T00:00:00Z", "2025-05-03"),
    *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2025-05-03t12:00:00z", "2025-05-03T12:00:00Z\n"),
    *(
        "2025-05-03T12:00:00.1234567890Z",
        "2025-W18-6T12:00:00Z",
        "20250503T120000Z",
        "2025-05-03T12:00:00+24:00",
        CANARY,
    ),
)


def make_body(chance: random.Random) -> Any:
    """One message body: most are texts near an order, a few are nothing like it."""
    text = _spell(_document(chance), chance)
    for _ in range(chance.choice((0, 0, 0, 0, 1, 3))):
        text = chance.choice(_TEXT_MUTATIONS)(text, chance)
    return (
        text if chance.random() < 0.99 else chance.choice((None, 5, [], {"a": text}, text.encode("utf-8", "replace")))
    )


def _document(chance: random.Random) -> dict[str, Any]:
    document: dict[str, Any] = {
        "orderId": f"O{chance.randrange(30)}",
        **{name: f"{CANARY}-{name}" for name in ("userId", "itemName", "status")},
        "quantity": chance.randint(1, 9),
        "timestamp": f"2025-05-03T12:{chance.randrange(60):02}:{chance.randrange(60):02}Z",
    }
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        name = chance.choice([*orders.ATTRIBUTES, f"{CANARY}-extra"])
        chance.choice(_MUTATIONS)(document, name, chance)
    return document


def _anything(chance: random.Random, depth: int = 3) -> Any:
    kind = chance.randrange(8 if depth else 5)
    if kind >= 5:
        inner = [_anything(chance, depth - 1) for _ in range(chance.randrange(4))]
        return inner if kind == 5 else {f"{CANARY}-{number}": value for number, value in enumerate(inner)}
    return chance.choice((None, True, False, CANARY, Raw(chance.choice(_NUMBERS)), chance.choice(_TEXTS)))


class Raw(str):
    """A piece of text that goes into the body as it is."""

    __slots__ = ()


def _nested(document: dict[str, Any], name: str, chance: random.Random) -> None:
    depth = chance.choice((10, 29, 30, 31, 32, 33, 2000))
    opening, closing = chance.choice((("[", "]"), ('{"a":', "}")))
    document[name] = Raw(opening * depth + "1" + closing * depth)


def _set(values: Callable[[random.Random], Any]) -> Callable[[dict[str, Any], str, random.Random], None]:
    def mutate(document: dict[str, Any], name: str, chance: random.Random) -> None:
        document[name] = values(chance)

    return mutate


_MUTATIONS: tuple[Callable[[dict[str, Any], str, random.Random], Any], ...] = (
    lambda document, name, _: document.pop(name, None),
    _set(_anything),
    _set(lambda chance: chance.choice(_TEXTS)),
    _set(lambda chance: Raw(chance.choice(_NUMBERS))),
    _set(lambda chance: chance.choice(_TIMESTAMPS)),
    lambda document, _, chance: document.update(timestamp=chance.choice(_TIMESTAMPS)),
    lambda document, _, chance: document.update(quantity=Raw(chance.choice(_NUMBERS))),
    lambda document, _, chance: document.update(orderId=chance.choice("xé\U0001f4e6") * chance.randint(510, 514)),
    _nested,
    lambda document, name, chance: (
        chance.random() < 0.05 and document.update({name: "x" * chance.choice((250_000, LARGE))})
    ),
)


def _spell(document: dict[str, Any], chance: random.Random) -> str:
    """Write the document as JSON, raw pieces as they are, and perhaps inside an envelope of SNS."""
    text = _json(document)
    if chance.random() < 0.02:  # a name twice
        text = text[:-1] + f', "{CANARY}": 1, "{CANARY}": 2}}'
    while chance.random() < 0.05:
        text = json.dumps({"Type": "Notification", "MessageId": CANARY, "Message": text})
    return text


def _json(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_json(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value)


def _cut(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.randint(1, 3) :]


def _insert(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return (
        text[:at]
        + chance.choice(("{", "}", '"', "\\", "\\u", "\\ud800", "\ud800", "\x00", "\x7f", ",", "[", "0"))
        + text[at:]
    )


def _repeat(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text) + 1)
    return text[:start] + text[start : start + 20] * 2 + text[start + 20 :]


_TEXT_MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    _cut,
    _insert,
    _repeat,
    lambda text, chance: text[: chance.randrange(len(text) + 1)],
    lambda text, _: "\ufeff" + text,
    lambda text, _: f" \t\r\n{text}\n",
    lambda text, _: text + "x",
)


def is_order(body: Any) -> bool:
    """Whether a body must be stored: I-JSON, the published schema and DynamoDB's limits decide."""
    try:
        document = _strict(body)
        if isinstance(document, dict) and document.get("Type") == "Notification" and "orderId" not in document:
            document = _strict(document["Message"]) if isinstance(document.get("Message"), str) else document
        if not _VALIDATOR.is_valid(_plain(document)):
            return False
        json.dumps(document, ensure_ascii=False, default=str).encode()
        extra = {name: value for name, value in document.items() if name not in orders.ATTRIBUTES}
        return _fits(extra, 1) and len(body) < LARGE
    except (ValueError, ArithmeticError, TypeError, RecursionError):
        return False


def order_id(body: Any) -> str:
    """The orderId of an order that is to be stored."""
    document = _strict(body)
    return str(document["orderId"] if "orderId" in document else _strict(document["Message"])["orderId"])


def _strict(text: Any) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise ValueError("a name twice")
        return dict(pairs)

    def constant(name: str) -> None:
        raise ValueError(name)

    if not isinstance(text, str):
        raise TypeError("not a text")
    return json.loads(text, object_pairs_hook=members, parse_float=Decimal, parse_constant=constant)


def _plain(value: Any) -> Any:
    """For the schema: whole numbers as integers, others as floats; a number too large to spell out as a huge one."""
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(element) for element in value] if isinstance(value, list) else value


def _number(value: Decimal) -> float:
    huge, tiny = value.adjusted() >= 30, value.adjusted() <= -30
    if huge and value > 0:
        return 1e300
    if not huge and not tiny and value == value.to_integral_value():
        return int(value)
    if not value:
        return 0
    return 0.5 if huge or tiny or value < 1 else int(value) + 0.5


def _fits(value: Any, level: int) -> bool:
    """Whether DynamoDB takes a value at a level of nesting."""
    if level > 32 or (level == 32 and isinstance(value, dict | list)):
        return False
    if isinstance(value, dict) and not all(0 < len(name.encode()) <= 65_535 for name in value):
        return False
    if isinstance(value, dict | list):
        return all(_fits(each, level + 1) for each in (value.values() if isinstance(value, dict) else value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return True
    number = Decimal(value)
    if number.is_zero():
        return True
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return len(digits) <= 38 and -130 <= number.adjusted() <= 125
