"""JSON values as DynamoDB spells and counts them.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

import functools
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal
from json.encoder import encode_basestring
from typing import Any

MAX_LEVEL = 32
"""DynamoDB's limit of nesting. A top-level attribute is level 1, so what `extra` holds starts at level 2. An UPDATE
takes no list or map at the last level, not even an empty one; an INSERT would."""

MAX_NAME = 65_535
"""Bytes of an attribute's name at any depth: DynamoDB's limit."""

quoted = encode_basestring
_SMALL = 10**38
_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, InvalidOperation, Overflow, Subnormal])
NUMBER_LIMITS = "a number must have at most 38 significant digits and a magnitude of 0 or from 1E-130 to 9.99E+125"
NESTING_LIMIT = f"the item must be nested at most {MAX_LEVEL} levels deep, `extra` being the first"
_NAME_LIMIT = f"an attribute's name must have 1 to {MAX_NAME} bytes"


class Unstorable(ValueError):  # noqa: N818 - it names what a value is
    """DynamoDB cannot hold the value; the text says why, and nothing of the value."""


def spell_members(members: dict[str, Any], level: int, pieces: list[str]) -> int:
    """Spell the members of a map as DynamoDB does, append that to `pieces`, and count the bytes that they take."""
    size, opening = 0, "{"
    for name, value in sorted(members.items()):
        length = utf8(name)
        if not 1 <= length <= MAX_NAME:
            raise Unstorable(_NAME_LIMIT)
        pieces.append(f"{opening}{quoted(name)}:")
        size += 1 + length + _spell(value, level, pieces)
        opening = ","
    pieces.append("}" if members else "{}")
    return size


def _spell(value: Any, level: int, pieces: list[str]) -> int:
    """Spell one JSON value as DynamoDB does, append that to `pieces`, and count the bytes that it takes."""
    if level > MAX_LEVEL or (level == MAX_LEVEL and isinstance(value, list | dict)):
        raise Unstorable(NESTING_LIMIT)
    if isinstance(value, str):
        pieces.append(f'{{"S":{quoted(value)}}}')
        return utf8(value)
    if value is None or isinstance(value, bool):
        pieces.append('{"NULL":true}' if value is None else '{"BOOL":true}' if value else '{"BOOL":false}')
        return 1
    if isinstance(value, dict):
        pieces.append('{"M":')
        size = spell_members(value, level + 1, pieces)
        pieces.append("}")
        return 3 + size
    if isinstance(value, list):
        pieces.append('{"L":[')
        size = 0
        for element in value:
            size += 1 + _spell(element, level + 1, pieces)
            pieces.append(",")
        pieces[-1] = "]}" if value else '{"L":[]}'
        return 3 + size
    text, size = number_attribute(_number(value))
    pieces.append(text)
    return size


def _number(value: int | Decimal) -> str:
    """Spell a number so that equal numbers have equal texts: 100, 100.0 and 1e2 are one."""
    if isinstance(value, int) and -_SMALL < value < _SMALL:
        return str(value)
    try:
        number: Decimal = _NUMBERS.create_decimal(value).normalize(_NUMBERS)
    except DecimalException:
        raise Unstorable(NUMBER_LIMITS) from None
    return str(int(number)) if number.adjusted() < 38 and number == int(number) else str(number)


@functools.lru_cache(1024)
def number_attribute(text: str) -> tuple[str, int]:
    """Spell the attribute of a number and count its bytes, once for a number that comes 100,000 times.

    They are one for each pair of digits on either side of the point, one for the exponent and one for a minus.
    """
    mantissa, _, exponent = text.lstrip("-").partition("E")
    whole, _, fraction = mantissa.partition(".")
    significant = f"{whole}{fraction}".lstrip("0")
    trailing = len(significant) - len(significant.rstrip("0"))
    odd = (int(exponent or 0) - len(fraction) + trailing) % 2
    size = (len(significant) - trailing + odd + 1) // 2 + 1 + text.startswith("-")
    return f'{{"N":"{text}"}}', size


def utf8(text: str) -> int:
    """Count the bytes of a text."""
    return len(text) if text.isascii() else len(text.encode())
