"""Reads JSON that others wrote, in files, answers and logs: whatever it holds, the value or one kind of error."""

import json
from typing import Any


def decode(text: str) -> Any:
    """The value of a JSON text; a byte order mark before it is left out.

    Raises:
        ValueError: the sentence that follows the name of what was read: "must be JSON, got ...".
    """
    try:
        value = _DECODER.decode(text.removeprefix("\ufeff"))
        text.encode()
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode, got half of a surrogate pair") from None
    except RecursionError:
        raise ValueError("must be nested less deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON, got something else at line {error.lineno}, column {error.colno}") from None
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):  # which of the two is meant cannot be told
        raise ValueError("must name each attribute of an object once, got the same name twice")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(f"must be JSON, got {constant}")


def _integer(digits: str) -> int:
    if len(digits) > 4300:
        raise ValueError("must have numbers of at most 4,300 digits, got more")
    return int(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse, parse_int=_integer)
