"""The order contract: what a message body must be, and the DynamoDB item it becomes."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal
from hashlib import sha256
from json.encoder import encode_basestring as _quoted
from typing import Any, NamedTuple

TIMESTAMP = (
    # 0000 is no year; on the first and last day of time an offset could leave the years 1 to 9999.
    r"^(?!0000|0001-01-01T.*\+|9999-12-31T.*-[0-9]{2}:)"
    r"(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.([0-9]{1,9}))?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])(?![\s\S])"
)
"""The accepted timestamps, the calendar included: RFC 3339 with capital T and Z, at most nanoseconds, no leap second.

The schema holds the same pattern. Its end is a lookahead because `$` also matches before a last newline in Python.
"""

MAX_ORDER_ID = 512
"""Characters: at most 4 bytes each, so that every orderId fits DynamoDB's 2,048 bytes of a partition key.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

MAX_QUANTITY = 2**53 - 1
"""The largest integer that every JSON parser reads exactly (RFC 8259, section 6)."""

MAX_ITEM_SIZE = 400 * 1024
"""Bytes of an item, names included: DynamoDB's limit."""

MAX_LEVEL = 32
"""DynamoDB's limit of nesting. A top-level attribute is level 1, so what `extra` holds starts at level 2. An UPDATE
takes no list or map at the last level, not even an empty one; an INSERT would."""

MAX_NAME = 65_535
"""Bytes of an attribute's name at any depth: DynamoDB's limit."""

INSTANT = 31
"""Characters of a version that spell the instant; those after them tell events of the same instant apart."""

ATTRIBUTES = ("orderId", "userId", "itemName", "quantity", "status", "timestamp")
"""What every order has. Any other attribute of an order is kept in the item's map `extra`."""

COLUMNS = (*ATTRIBUTES, "extra", "version")
"""What every item has."""

_match_timestamp = re.compile(TIMESTAMP).match
_MISSING = object()
_SMALL = 10**38
_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, InvalidOperation, Overflow, Subnormal])
_NUMBER_LIMITS = "a number must have at most 38 significant digits and a magnitude of 0 or from 1E-130 to 9.99E+125"
_NESTING_LIMIT = f"the item must be nested at most {MAX_LEVEL} levels deep, `extra` being the first"
_NAME_LIMIT = f"an attribute's name must have 1 to {MAX_NAME} bytes"


class Rejected(ValueError):  # noqa: N818 - it names what became of the message
    """The message can never become an item; the text is the reason and holds no value of the message."""

    def __init__(self, reason: str, order_id: str | None = None) -> None:
        super().__init__(reason)
        self.order_id = order_id


class Order(NamedTuple):
    """One event of one order, ready to be written."""

    order_id: str
    """The table's partition key."""
    status: str
    version: str
    """Greater for a later instant; equal only for equal items."""
    values: tuple[str, ...]
    """The item: the value of each of `COLUMNS` in DynamoDB's JSON, spelled once for the hash and for the request."""

    @property
    def item(self) -> dict[str, dict[str, Any]]:
        """The DynamoDB item, read from its text."""
        return {name: json.loads(value) for name, value in zip(COLUMNS, self.values, strict=True)}


def parse(body: object) -> Order:
    """Read a message body: an order, or an SNS notification that carries one.

    Raises:
        Rejected: the body is not I-JSON (RFC 7493), breaks the contract, or exceeds a limit of DynamoDB.
    """
    document = _decode(body)
    if _is_notification(document):
        document = _decode(document["Message"])
    order_id = document.get("orderId") if isinstance(document, dict) else None
    order_id = order_id if isinstance(order_id, str) else None
    if found := problems(document):
        raise Rejected("; ".join(found), order_id)
    try:
        return _order(document)
    except Rejected as rejected:
        raise Rejected(str(rejected), order_id) from None
    except UnicodeEncodeError:
        raise Rejected("the body must be valid Unicode, got half of a surrogate pair", order_id) from None


def _is_notification(document: Any) -> bool:
    """Tell the envelope of SNS, without raw delivery, from an order: an order has an orderId, an envelope none."""
    return (
        isinstance(document, dict)
        and document.get("Type") == "Notification"
        and isinstance(document.get("Message"), str)
        and "orderId" not in document
    )


def problems(document: object) -> list[str]:
    """Say how a decoded JSON value breaks the contract; an empty list means that it keeps it.

    This is order.schema.json in Python: both accept the same values.
    """
    if not isinstance(document, dict):
        return [f"an order must be a JSON object, got {_kind(document)}"]
    found = []
    for name in ("orderId", "userId", "itemName", "status"):
        value = document.get(name, _MISSING)
        if not isinstance(value, str) or not value:
            found.append(f"{name} must be a non-empty string, got {_kind(value)}")
        elif name == "orderId" and len(value) > MAX_ORDER_ID:
            found.append(f"orderId must be at most {MAX_ORDER_ID} characters long, got more")
    quantity = document.get("quantity", _MISSING)
    if not _is_quantity(quantity):
        got = "another number" if _kind(quantity) == "a number" else _kind(quantity)
        found.append(f"quantity must be an integer from 1 to {MAX_QUANTITY}, got {got}")
    timestamp = document.get("timestamp", _MISSING)
    if not isinstance(timestamp, str) or not _match_timestamp(timestamp):
        got = "a string of another form" if isinstance(timestamp, str) and timestamp else _kind(timestamp)
        found.append(f"timestamp must be a date and time with seconds and a zone as in 2025-05-03T12:00:00Z, got {got}")
    return found


def _is_quantity(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    # The range comes first: a number such as 1E+999999 must not be expanded.
    return 1 <= value <= MAX_QUANTITY and int(value) == value


def _kind(value: object) -> str:
    """Name the kind of a JSON value, and never the value."""
    if value is None or value is _MISSING:
        return "null" if value is None else "nothing"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string" if value else "an empty string"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "a number"


def _decode(text: object) -> Any:
    if not isinstance(text, str):
        raise Rejected(f"the body must be a string, got {_kind(text)}")
    try:
        return _DECODER.decode(text)
    except Rejected:
        raise
    except json.JSONDecodeError as error:
        raise Rejected(f"the body must be JSON, got something else at character {error.pos}") from None
    except RecursionError:
        raise Rejected(_NESTING_LIMIT) from None
    except (ValueError, ArithmeticError):  # integers over Python's 4,300 digits, exponents over its 18
        raise Rejected(_NUMBER_LIMITS) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):  # keeping one would drop another that the producer sent
        raise Rejected("an object must name each attribute once, got the same name twice")
    return members


def _constant(_: str) -> None:
    raise Rejected("the body must be JSON, got NaN or Infinity")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=Decimal, parse_constant=_constant)
_spell = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_CANONICAL = "{" + ",".join(f'"{name}":%s' for name in COLUMNS[:-1]) + "}"


def _order(document: dict[str, Any]) -> Order:
    """Build the item: a pure function of the event, with one spelling and one sequence for equal values."""
    order_id, status, timestamp = document["orderId"], document["status"], document["timestamp"]
    extra = "{}"
    if len(document) > len(ATTRIBUTES):
        further = {name: value for name, value in document.items() if name not in ATTRIBUTES}
        extra = _spell(_members(further, 2))
    values = (
        f'{{"S":{_quoted(order_id)}}}',
        f'{{"S":{_quoted(document["userId"])}}}',
        f'{{"S":{_quoted(document["itemName"])}}}',
        f'{{"N":"{int(document["quantity"])}"}}',
        f'{{"S":{_quoted(status)}}}',
        f'{{"S":"{timestamp}"}}',
        f'{{"M":{extra}}}',
    )
    canonical = (_CANONICAL % values).encode()
    version = f"{_instant(timestamp)}{sha256(canonical).hexdigest()[:32]}"
    order = Order(order_id, status, version, (*values, f'{{"S":"{version}"}}'))
    # The canonical text is longer than the size that DynamoDB counts: only large items need the exact one.
    if len(canonical) > MAX_ITEM_SIZE - 100 and _members_size(order.item.items()) > MAX_ITEM_SIZE:
        raise Rejected(f"the item must be at most {MAX_ITEM_SIZE} bytes large, got more")
    return order


def _instant(timestamp: str) -> str:
    """Spell the instant in UTC to the microsecond, then `#` and the three digits below it: text order is time order."""
    utc = timestamp.endswith("Z")
    fraction = timestamp[20 : -1 if utc else -6].ljust(9, "0")
    seconds = timestamp[:19] if utc else datetime.fromisoformat(timestamp).astimezone(UTC).isoformat()[:19]
    return f"{seconds}.{fraction[:6]}Z#{fraction[6:]}"


def _members(members: dict[str, Any], level: int) -> dict[str, Any]:
    for name in members:
        if not name or (len(name) > MAX_NAME // 4 and len(name.encode()) > MAX_NAME):
            raise Rejected(_NAME_LIMIT)
    return {name: _attribute(value, level) for name, value in sorted(members.items())}


def _attribute(value: Any, level: int) -> dict[str, Any]:
    """Encode one JSON value as DynamoDB spells it.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
    """
    if level > MAX_LEVEL or (level == MAX_LEVEL and isinstance(value, list | dict)):
        raise Rejected(_NESTING_LIMIT)
    if isinstance(value, str):
        return {"S": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, dict):
        return {"M": _members(value, level + 1)}
    if isinstance(value, list):
        return {"L": [_attribute(element, level + 1) for element in value]}
    return {"N": _number(value)}


def _number(value: int | Decimal) -> str:
    """Spell a number so that equal numbers have equal texts: 100, 100.0 and 1e2 are one."""
    if isinstance(value, int) and -_SMALL < value < _SMALL:
        return str(value)
    try:
        number: Decimal = _NUMBERS.create_decimal(value).normalize(_NUMBERS)
    except DecimalException:
        raise Rejected(_NUMBER_LIMITS) from None
    return str(int(number)) if number.adjusted() < 38 and number == int(number) else str(number)


def _members_size(members: Iterable[tuple[str, dict[str, Any]]]) -> int:
    return sum(len(name.encode()) + _size(attribute) for name, attribute in members)


def _size(attribute: dict[str, Any]) -> int:
    """Count the bytes of a value as DynamoDB does; it documents those of numbers as approximate.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    [(kind, value)] = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return _number_size(value)
        case "M":
            return 3 + len(value) + _members_size(value.items())
        case "L":
            return 3 + len(value) + sum(map(_size, value))
        case _:
            return 1


def _number_size(text: str) -> int:
    """Count a byte for each pair of digits on either side of the point, one for the exponent and one for a minus."""
    sign, digits, exponent = Decimal(text).as_tuple()
    significant = "".join(map(str, digits)).lstrip("0")
    trailing = len(significant) - len(significant.rstrip("0"))
    odd = (int(exponent) + trailing) % 2
    return (len(significant) - trailing + odd + 1) // 2 + 1 + sign
