"""Reads properties in three values: known, unknown until the update, or missing."""

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final

from pulumi_policy import proxy


class Absence(Enum):
    """Why a property has no value to look at."""

    UNKNOWN = "unknown"
    """Set, but known only once another resource exists: the normal case in the first preview of a stack."""
    MISSING = "missing"
    """Not set: null, empty text or no such key."""


UNKNOWN: Final = Absence.UNKNOWN
MISSING: Final = Absence.MISSING

_SENTINELS = tuple(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))


def read(properties: Mapping[str, Any], key: str) -> Any:
    """Return one property as plain Python, UNKNOWN or MISSING; nothing raises.

    Unknown parts of an object or list are UNKNOWN in place. Whole numbers are ints: on the wire all are floats.
    """
    # `in` and `get` raise UnknownValueError on an unknown value; iterating over the keys touches none.
    return _item(properties, key) if key in list(properties) else MISSING


def plain(value: Any) -> Any:
    """Turn a value of the policy SDK into plain Python, unknown parts into UNKNOWN."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, str):
        # JSON built around an unresolved value holds the sentinel inside a longer text.
        return UNKNOWN if any(sentinel in value for sentinel in _SENTINELS) else value
    if isinstance(value, Mapping):
        items = {key: _item(value, key) for key in list(value)}
        return {key: item for key, item in items.items() if item is not MISSING}
    if isinstance(value, Sequence):
        return [_item(value, index) for index in range(len(value))]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _item(values: Any, index: Any) -> Any:
    try:
        return plain(values[index])
    except proxy.UnknownValueError:
        return UNKNOWN


def inside(value: Any, *path: str) -> Any:
    """Follow a path of keys into a plain value; UNKNOWN swallows what lies below it."""
    for key in path:
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(key, MISSING) if isinstance(value, Mapping) else MISSING
    return value


def json_object(value: Any) -> Any:
    """Return the object that a property holds as JSON or as an object; UNKNOWN stays, anything else is MISSING."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return MISSING
    return value if value is UNKNOWN or isinstance(value, dict) else MISSING


def items(value: Any) -> list[Any]:
    """Return a list's items, a scalar as one item, nothing for MISSING."""
    if value is MISSING:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def number(value: Any) -> float | None:
    """Return a number, also one written as text (as Lambda, SQS and CloudWatch accept it); None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
