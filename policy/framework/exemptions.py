"""Exemptions from a rule: for named resources, with a reason, and for a time."""

from collections.abc import Iterable, Mapping
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


def read_exemptions(entries: Iterable[Mapping[str, str]]) -> list[Exemption]:
    """Read a rule's `exempt`, the ones that still hold first; the engine has held it to the schema."""
    exemptions = [
        Exemption(
            match=entry["match"],
            reason=" ".join(entry["reason"].split()),
            expires=date.fromisoformat(entry["expires"]) if "expires" in entry else None,
        )
        for entry in entries
    ]
    return sorted(exemptions, key=Exemption.expired)
