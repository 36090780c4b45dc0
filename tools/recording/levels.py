"""Which rules of a policy pack are enforced, and with what settings: read and checked as the Pulumi CLI does."""

from collections.abc import Mapping
from typing import Any

import jsonschema
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2

_Validator = jsonschema.Draft7Validator  # as the CLI: JSON Schema 7, with its formats
_LEVELS = ("advisory", "mandatory", "disabled")


def configuration(info: analyzer_pb2.AnalyzerInfo, config: Mapping[str, Any]) -> dict[str, analyzer_pb2.PolicyConfig]:
    """Return every rule's level and settings: the pack's own, overridden by `config`, checked as the CLI checks them.

    Raises ValueError naming every entry that does not fit.
    """
    known = {"all", *(policy.name for policy in info.policies)}
    problems = [f"{name} must be a rule of {info.name}" for name in config if name not in known]
    settings = {}
    for policy in info.policies:
        level, given = _entry(config.get(policy.name), config.get("all"))
        level = level or analyzer_pb2.EnforcementLevel.Name(policy.enforcementLevel).lower()
        if level not in _LEVELS:
            problems.append(f"{policy.name}: enforcementLevel must be one of {', '.join(_LEVELS)}, got {level}")
            continue
        properties = json_format.MessageToDict(policy.configSchema.properties)
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        for error in _Validator(schema, format_checker=_Validator.FORMAT_CHECKER).iter_errors(given):
            problems.append(f"{policy.name}: {error.json_path}: {error.message}")  # noqa: PERF401 - reads better
        merged = {name: each["default"] for name, each in properties.items() if "default" in each} | given
        struct = struct_pb2.Struct()
        struct.update(merged)
        # The level is always stated: the protocol's zero means advisory, and would weaken a mandatory rule.
        settings[policy.name] = analyzer_pb2.PolicyConfig(
            enforcementLevel=analyzer_pb2.EnforcementLevel.Value(level.upper()), properties=struct
        )
    if problems:
        raise ValueError("the policy configuration must fit the pack:\n  " + "\n  ".join(problems))
    return settings


def _entry(own: Any, for_all: Any) -> tuple[str | None, dict[str, Any]]:
    """Split a rule's configuration into level and settings; a bare text is a level."""
    entry = {"enforcementLevel": own} if isinstance(own, str) else dict(own or {})
    level = entry.pop("enforcementLevel", None)
    if level is None and for_all is not None:
        level = for_all if isinstance(for_all, str) else for_all.get("enforcementLevel")
    return level, entry
