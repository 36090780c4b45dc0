"""Reads YAML as the Pulumi CLI does, which takes numbers, dates and words otherwise than PyYAML."""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

_DATE = r"\d{4}-\d\d?-\d\d?"


class _Loader(yaml.SafeLoader):
    """YAML 1.2 with Go's numbers and dates: `yes` is a text, `1:30` too, and `010` is 8."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as PyYAML declares it


for _kind, _pattern in {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)",
    "float": r"[-+]?(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
    "timestamp": rf"{_DATE}([Tt ]\d\d?:\d\d?:\d\d?(\.\d+)?(Z|[-+]\d\d:\d\d)?)?",
    "merge": r"<<",
}.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"(?:{_pattern})\Z"), None)


def _int(_loader: _Loader, node: yaml.ScalarNode) -> int | float:
    digits = str(node.value).replace("_", "")
    number = int(re.sub(r"^([-+]?)0([0-7])", r"\g<1>0o\2", digits), 0)
    return number if -(2**63) <= number < 2**64 else float(number)


def _float(_loader: _Loader, node: yaml.ScalarNode) -> float:
    number = float(str(node.value).replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(number):
        raise yaml.YAMLError(f"a number must be finite, got {node.value}")
    return number


def _date(_loader: _Loader, node: yaml.ScalarNode) -> str:
    """The text that Go makes of a date."""
    date, _, clock = re.sub(r"[Tt]", " ", str(node.value)).partition(" ")
    day = "-".join(part.zfill(2) for part in date.split("-"))
    found = datetime.fromisoformat(f"{day} {clock}".strip())
    zone = found.strftime("%z") or "+0000"
    fraction = f".{found.microsecond:06}".rstrip("0") if found.microsecond else ""
    return f"{found:%Y-%m-%d %H:%M:%S}{fraction} {zone} {'UTC' if zone == '+0000' else zone}"


_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _date)


def mapping(path: Path) -> dict[str, Any]:
    """What a file of the project says. Raises ValueError if it is no YAML, or not what the CLI would read."""
    try:
        said = yaml.load(path.read_text(encoding="utf-8"), _Loader) or {}  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{path.name} must be YAML, but: {' '.join(str(error).split())}") from None
    if not isinstance(said, dict) or not isinstance(said.get("config") or {}, dict):
        raise ValueError(f"{path.name} must be a mapping, with one of keys and values under config, got {said!r:.80}")
    return said


def config_text(value: Any) -> str:
    """A value of the configuration as the CLI hands it to the program: structured ones as JSON."""
    if isinstance(value, Mapping) and set(value) <= {"value", "default", "type", "description"}:
        value = value.get("value", value.get("default"))  # the long form of Pulumi.yaml's project configuration
    if value is None:
        return ""
    if isinstance(value, float) and 1e-6 <= abs(value) < 1e21:
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    plain = _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, separators=(",", ":"), sort_keys=True)
    return re.sub(r"e-0(\d)\Z", r"e-\1", text) if isinstance(value, float) else text


def _plain(value: Any) -> Any:
    """Whole numbers without a point, and every key a text."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else config_text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else value
