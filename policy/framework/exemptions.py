"""Exemptions from a rule: for named resources, with a reason, and for a time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from framework.documents import matches

# At least one letter or digit, so that no pattern exempts everything: that is what the level "disabled" is for.
_PATTERN = r"^[-A-Za-z0-9_.:/$*?]*[A-Za-z0-9][-A-Za-z0-9_.:/$*?]*$"

SCHEMA: dict[str, Any] = {
    "type": "array",
    "default": [],
    "description": "Resources that the rule does not apply to.",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["match", "reason"],
        "properties": {
            "match": {"type": "string", "pattern": _PATTERN},
            "reason": {"type": "string", "pattern": r"\S"},
            "expires": {"type": "string", "format": "date"},
        },
    },
}


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """One entry of a rule's `exempt`."""

    match: str
    """Name or URN of the resources, whole, with `*` and `?` as wildcards."""
    reason: str
    expires: date | None = None
    """Last day on which it holds, in UTC."""

    def covers(self, name: str, urn: str) -> bool:
        """Whether it is meant for a resource."""
        return matches(self.match, name) or matches(self.match, urn)

    def expired(self, today: date | None = None) -> bool:
        """Whether its last day has passed."""
        return self.expires is not None and self.expires < (today or datetime.now(UTC).date())


def read_exemptions(entries: Any) -> list[Exemption]:
    """Read a rule's `exempt`, the ones that still hold first.

    Raises ValueError naming every entry that is incomplete or whose pattern cannot be read.
    """
    if not isinstance(entries, list | tuple):
        raise ValueError(f"exempt must be a list, got {type(entries).__name__}")
    problems: list[str] = []
    exemptions = []
    for index, entry in enumerate(entries):
        found = list(_problems(entry))
        problems += [f"exempt[{index}] {problem}" for problem in found]
        if not found:
            expires = date.fromisoformat(entry["expires"]) if "expires" in entry else None
            exemptions.append(
                Exemption(match=entry["match"], reason=" ".join(entry["reason"].split()), expires=expires)
            )
    if problems:
        raise ValueError("; ".join(problems))
    return sorted(exemptions, key=Exemption.expired)


def _problems(entry: Any) -> list[str]:
    if not isinstance(entry, Mapping):
        return ["must have match and reason, got no object"]
    problems = [f"must not have {key}" for key in entry if key not in ("match", "reason", "expires")]
    match, reason, expires = (entry.get(key) for key in ("match", "reason", "expires"))
    if not isinstance(match, str) or not re.fullmatch(_PATTERN, match):
        problems.append(f"match must be a name or URN, with * and ? as wildcards, got {match}")
    if not isinstance(reason, str) or not reason.strip():
        problems.append(f"reason must say why, got {reason}")
    if expires is not None and not _is_date(expires):
        problems.append(f"expires must be a date such as 2026-12-31, got {expires}")
    return problems


def _is_date(text: Any) -> bool:
    try:
        return isinstance(text, str) and bool(date.fromisoformat(text))
    except ValueError:
        return False
