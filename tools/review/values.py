"""Property values as a reviewer may see them: plain, with secrets and unknown values marked as such."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pulumi.runtime import rpc

SIGNATURE: str = rpc._special_sig_key  # noqa: SLF001 - the wire format's own name
"""The key by which the engine marks an object that is no plain value."""
FILES = (rpc._special_asset_sig, rpc._special_archive_sig)  # noqa: SLF001 - as above
"""The marks of an asset and of an archive."""


class Mark(Enum):
    """What stands where there is no value to show."""

    MISSING = "not set"
    SECRET = "a secret"  # noqa: S105 - a mark, not a password
    UNKNOWN = "known after the update"


MISSING, SECRET, UNKNOWN = Mark.MISSING, Mark.SECRET, Mark.UNKNOWN


def plain(value: Any) -> Any:
    """A value of the engine's JSON as plain Python: JSON in texts read, whole numbers whole, the rest marked."""
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> Any:
    if value == "[secret]":
        return SECRET
    if value[:1] in ("{", "["):
        try:
            return plain(json.loads(value))
        except ValueError:
            pass
    return UNKNOWN if value == rpc.UNKNOWN else value.replace(rpc.UNKNOWN, "…")


def _object(value: Mapping[str, Any]) -> Any:
    signature = value.get(SIGNATURE)
    if signature is None:
        return {key: plain(item) for key, item in value.items() if key != "__defaults"}
    if signature == rpc._special_secret_sig:  # noqa: SLF001 - as above
        return SECRET
    if signature in FILES:
        return f"code {str(value.get('hash', 'not hashed'))[:12]}"
    return UNKNOWN


def number(value: Any, default: float) -> float | None:
    """A number, also one written as text; the default where none is set, None where none can be read."""
    if value is MISSING or value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def read(text: str, schema: Mapping[str, Any], must: str) -> Any:
    """JSON of a known form. Raises ValueError that begins with what it must be."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{must}: {error}") from error
    # `jsonschema.validate` would look at the schema again each time, which takes longer.
    if wrong := best_match(Draft202012Validator(schema).iter_errors(found)):
        raise ValueError(f"{must}: {wrong.message}")
    return found
