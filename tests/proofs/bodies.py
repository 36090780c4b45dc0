"""Generates message bodies and whole events, valid and broken, and judges them without the handler's help."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator, validators

from functions.process_order import orders
from tests.fakes.events import SCHEMA

CANARY = "PAYLOAD"
"""Stands in every text of a generated message that no log line may show."""
LARGE = 420_000
"""Characters of a body that no item can hold; generated bodies are either smaller by far, or larger."""


class Raw(str):
    """A piece of text that goes into the body as it is."""

    __slots__ = ()


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
    *("2025-05-03T12:00:00.1234567890Z", "2025-W18-6T12:00:00Z", "20250503T120000Z", "2025-05-03T12:00:00+24:00"),
)
_JUNK = ("", "", "{", "}", '"', "\\", "\\u", "\\ud800", "\ud800", "\x00", "\x7f", ",", "[", "0", "\ufeff", " \t\r\n")

texts = st.sampled_from(_TEXTS) | st.text(max_size=20)
numbers = st.sampled_from(_NUMBERS).map(Raw)
nested = st.builds(
    lambda depth, pair: Raw(pair[0] * depth + "1" + pair[1] * depth),
    st.sampled_from((10, 29, 30, 31, 32, 33, 2000)),
    st.sampled_from((("[", "]"), ('{"a":', "}"))),
)
anything = st.recursive(
    st.none() | st.booleans() | st.just(CANARY) | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(lambda found: {f"{CANARY}-{n}": each for n, each in enumerate(found)})
    ),
    max_leaves=6,
)
long_texts = st.builds(str.__mul__, st.sampled_from("xé\U0001f4e6"), st.integers(510, 514))
large_texts = st.sampled_from((250_000, LARGE)).map("x".__mul__)
_SMALL_VALUES = ("0", "0.1", '"x"', "[]", "{}", '{"a":0}')
many_values = st.builds(
    lambda piece, size: Raw(f"[{','.join([piece] * (size // (len(piece) + 1)))}]"),
    st.sampled_from(_SMALL_VALUES),
    st.sampled_from((50_000, 250_000, 900_000)),
)
"""Lists that are small as text and large in memory; those of 900,000 characters are larger than any item."""
_FEW = st.sampled_from((0, 0, 0, 1, 1, 2))


@st.composite
def bodies(draw: st.DrawFn) -> Any:
    """One message body: most are texts near an order, a few are nothing like it."""
    document: dict[str, Any] = {
        "orderId": f"O{draw(st.integers(0, 29))}",
        **{name: f"{CANARY}-{name}" for name in ("userId", "itemName", "status")},
        "quantity": draw(st.integers(1, 9)),
        "timestamp": f"2025-05-03T12:00:{draw(st.integers(0, 59)):02}Z",
    }
    for _ in range(draw(_FEW)):
        name = draw(st.sampled_from([*orders.ATTRIBUTES, f"{CANARY}-extra"]))
        if draw(st.sampled_from((True, False, False, False, False))):
            document.pop(name, None)
        else:
            document[name] = draw(
                st.sampled_from(_TIMESTAMPS)
                if name == "timestamp"
                else anything | numbers | nested | long_texts | large_texts | many_values
            )
    text = _spell(document)
    if draw(st.integers(0, 49)) == 0:
        text = text[:-1] + f', "{CANARY}": 1, "{CANARY}": 2}}'
    for _ in range(draw(_FEW) - 1):
        text = json.dumps({"Type": "Notification", "MessageId": CANARY, "Message": text})
    for _ in range(draw(_FEW) - 1):
        at, length = draw(st.integers(0, len(text))), draw(st.sampled_from((0, 0, 1, 3, 10**6)))
        text = text[:at] + draw(st.sampled_from(_JUNK)) + text[at + length :]
    others: tuple[Any, ...] = (draw(st.text()), None, 5, [], {"a": text}, text.encode("utf-8", "replace"))
    return draw(st.sampled_from((*[text] * 20, *others)))


@st.composite
def events(draw: st.DrawFn) -> Any:
    """One event: most are what SQS sends, a few have records, ids or a shape that SQS would never send."""
    found = draw(st.lists(bodies(), min_size=1, max_size=draw(st.sampled_from((1, 1, 1, 10, 40)))))
    records: list[Any] = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(found)]
    if draw(st.integers(0, 9)):
        return {"Records": records}
    junk: st.SearchStrategy[Any] = st.sampled_from(
        (None, 5, CANARY, [], {}, {"body": CANARY}, {"messageId": 7, "body": CANARY})
    )
    records += [*draw(st.lists(junk, max_size=3)), {**records[0], "body": draw(bodies())}]
    broken: tuple[Any, ...] = (None, [], {}, CANARY, {"Records": CANARY}, {"records": records})
    return draw(st.sampled_from((*[{"Records": draw(st.permutations(records))}] * 5, *broken)))


def _spell(value: Any) -> str:
    """Write a value as JSON, raw pieces as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_spell(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_spell, value)) + "]"
    return json.dumps(value)


def _is_integer(_checker: object, value: Any) -> bool:
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
_VALIDATOR: Any = validators.extend(Draft202012Validator, type_checker=_CHECKER)(SCHEMA)  # type: ignore[no-untyped-call]


def is_order(body: Any) -> bool:
    """Whether a body must be stored: I-JSON, the published schema and DynamoDB's limits decide."""
    try:
        document = _opened(body)
        if not _VALIDATOR.is_valid(document):
            return False
        json.dumps(document, ensure_ascii=False, default=str).encode()
        extra = {name: value for name, value in document.items() if name not in orders.ATTRIBUTES}
        return _fits(extra, 1) and len(body) < LARGE
    except (ValueError, ArithmeticError, TypeError, RecursionError):
        return False


def order_id(body: Any) -> str:
    """The orderId of an order that is to be stored."""
    return str(_opened(body)["orderId"])


def _opened(body: Any) -> Any:
    """What a body holds, or the message in it if it is an envelope of SNS."""
    document = _strict(body)
    if isinstance(document, dict) and document.get("Type") == "Notification" and "orderId" not in document:
        return _strict(document["Message"]) if isinstance(document.get("Message"), str) else document
    return document


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
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return number.is_zero() or (len(digits) <= 38 and -130 <= number.adjusted() <= 125)
