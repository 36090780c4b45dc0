"""The order contract: what a message body must be, and the DynamoDB item it becomes."""

import json
import re
import time
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple

from .values import NESTING_LIMIT, NUMBER_LIMITS, Unstorable, number_attribute, quoted, spell_members, utf8

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

MAX_AHEAD = 24 * 60 * 60
"""Seconds that a timestamp may be ahead of the clock of whoever reads the message. The newest event of an order wins:
one from a clock that runs years ahead would keep every later one out of the table."""

INSTANT = 31
"""Characters of a version that spell the instant; those after them tell events of the same instant apart."""

ATTRIBUTES = ("orderId", "userId", "itemName", "quantity", "status", "timestamp")
"""What every order has. Any other attribute of an order is kept in the item's map `extra`."""

COLUMNS = (*ATTRIBUTES, "extra", "version")
"""What every item has."""

_match_timestamp = re.compile(TIMESTAMP).match
_MISSING = object()
_BLANKS = " \t\n\r"
_NUMBERS = int, float, Decimal
_SIZE_LIMIT = f"the item must be at most {MAX_ITEM_SIZE} bytes large, got more"
AHEAD = "timestamp must be at most a day ahead of the clock of the function, got a later one"
"""Why an order is rejected that is dated too far in the future; that passes with time."""


class Rejected(ValueError):  # noqa: N818 - it names what became of the message
    """The message does not become an item; the text is the reason and holds no value of the message."""

    def __init__(self, reason: str, order_id: str | None = None) -> None:
        super().__init__(reason)
        self.order_id = order_id


class Order(NamedTuple):
    """One event of one order, ready to be written: what goes into a request is DynamoDB's JSON already."""

    order_id: str
    """The table's partition key."""
    status: str
    version: str
    """Greater for a later instant; equal only for equal items."""
    key: bytes
    """The value of `orderId`."""
    rest: bytes
    """The values of the other `COLUMNS`, with commas between them."""
    newest: bytes
    """The value of `version`."""

    @property
    def item(self) -> dict[str, dict[str, Any]]:
        """The DynamoDB item, read from its text."""
        return dict(zip(COLUMNS, json.loads(b"[%b,%b]" % (self.key, self.rest)), strict=True))


def version_at(seconds: float) -> str:
    """Spell the version that the events after an instant are greater than, and those before it are not."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ#")


def latest_version() -> str:
    """Spell the version that an event must not exceed now."""
    return version_at(time.time() + MAX_AHEAD)


def parse(body: object, latest: str = "") -> Order:
    """Read a message body: an order, or an SNS notification that carries one.

    `latest` is what `latest_version` said, if it was asked already. Raises Rejected if the body is not I-JSON
    (RFC 7493), breaks the contract, or exceeds a limit of DynamoDB.
    """
    document = _decode(body)
    # SNS without raw delivery puts the order into an envelope, which has no orderId of its own.
    envelope = isinstance(document, dict) and document.get("Type") == "Notification" and "orderId" not in document
    if envelope and isinstance(document.get("Message"), str):
        document = _decode(document["Message"])
    try:
        if found := problems(document):
            raise Unstorable("; ".join(found))
        order = _order(document)
        if order.version > (latest or latest_version()):
            raise Unstorable(AHEAD)
        return order
    except Unstorable as error:
        reason = str(error)
    except UnicodeEncodeError:
        reason = "the body must be valid Unicode, got half of a surrogate pair"
    order_id = document.get("orderId") if isinstance(document, dict) else None
    raise Rejected(reason, order_id if isinstance(order_id, str) else None)


def problems(document: object) -> list[str]:
    """Say how a decoded JSON value breaks the contract, which is order.schema.json; an empty list if it keeps it."""
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
    # The range comes first: a number such as 1E+999999 must not be expanded.
    return type(value) in _NUMBERS and 1 <= value <= MAX_QUANTITY and (type(value) is int or int(value) == value)


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
    # Each of these marks stands for a byte of the item at least, in a text as well. Counting them takes no memory.
    if len(text) > MAX_ITEM_SIZE and sum(map(text.count, ",[{")) > MAX_ITEM_SIZE:
        raise Rejected(_SIZE_LIMIT)
    try:
        decoder = _PLAIN if text.count('"') == _MARKS and "\\" not in text else _DECODER
        value, end = decoder.raw_decode(text, len(text) - len(text.lstrip(_BLANKS)))
        if after := text[end:].lstrip(_BLANKS):
            raise json.JSONDecodeError("Extra data", text, len(text) - len(after))
        return value
    except Rejected:
        raise
    except json.JSONDecodeError as error:
        raise Rejected(f"the body must be JSON, got something else at character {error.pos}") from None
    except RecursionError:
        raise Rejected(NESTING_LIMIT) from None
    except (ValueError, ArithmeticError):  # integers over Python's 4,300 digits, exponents over its 18
        raise Rejected(NUMBER_LIMITS) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):  # keeping one would drop another that the producer sent
        raise Rejected("an object must name each attribute once, got the same name twice")
    return members


def _constant(_: str) -> None:
    raise Rejected("the body must be JSON, got NaN or Infinity")


_PLAIN = json.JSONDecoder(parse_float=Decimal, parse_constant=_constant)
_MARKS = 2 * (2 * len(ATTRIBUTES) - 1)
"""Quotation marks of six names and five texts: an order with no more, and no escape, names nothing twice."""
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=Decimal, parse_constant=_constant)


def _order(document: dict[str, Any]) -> Order:
    """Build the item: a pure function of the event, with one spelling and one sequence for equal values."""
    timestamp, quantity = document["timestamp"], int(document["quantity"])
    order_id, user_id = quoted(document["orderId"]), quoted(document["userId"])
    item_name, status = quoted(document["itemName"]), quoted(document["status"])
    pieces, extra_size = ["{}"], 0
    if len(document) > len(ATTRIBUTES):
        further = {name: value for name, value in document.items() if name not in ATTRIBUTES}
        extra_size = spell_members(further, 2, pieces := [])
    key = f'{{"S":{order_id}}}'.encode()
    values = (
        f'{{"S":{user_id}}},{{"S":{item_name}}},'
        f'{{"N":"{quantity}"}},{{"S":{status}}},{{"S":"{timestamp}"}},{{"M":{"".join(pieces)}}},'
    ).encode()
    version = f"{_instant(timestamp)}{blake2b(key + values, digest_size=16).hexdigest()}"
    # But for names and version, which have less than 200 bytes, an item is smaller than the text of its values.
    if len(key) + len(values) > MAX_ITEM_SIZE - 200 and _item_size(document, extra_size, version) > MAX_ITEM_SIZE:
        raise Unstorable(_SIZE_LIMIT)
    newest = b'{"S":"%b"}' % version.encode()
    return Order(document["orderId"], document["status"], version, key, values + newest, newest)


def _instant(timestamp: str) -> str:
    """Spell the instant in UTC to the microsecond, then `#` and the three digits below it: text order is time order."""
    if len(timestamp) == 20:  # seconds and Z, as most are
        return f"{timestamp[:19]}.000000Z#000"
    utc = timestamp.endswith("Z")
    fraction = timestamp[20 : -1 if utc else -6].ljust(9, "0")
    seconds = timestamp[:19] if utc else datetime.fromisoformat(timestamp).astimezone(UTC).isoformat()[:19]
    return f"{seconds}.{fraction[:6]}Z#{fraction[6:]}"


def _item_size(document: dict[str, Any], extra_size: int, version: str) -> int:
    """Count the bytes of an item as DynamoDB does; it documents those of numbers as approximate."""
    size = sum(map(len, COLUMNS)) + 3 + extra_size + len(version)
    for name in ATTRIBUTES:
        value = document[name]
        size += utf8(value) if isinstance(value, str) else number_attribute(str(int(value)))[1]
    return size
