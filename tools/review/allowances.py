"""Unsafe changes that somebody has allowed: named in a file of the same change, with a reason and a last day."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

FILE = "allowed-changes.json"
_KEYS = ("match", "change", "reason", "expires")
# As in the policies' exemptions: at least one letter or digit, so that no pattern allows everything.
_PATTERN = r"[-A-Za-z0-9_.:/$*?]*[A-Za-z0-9][-A-Za-z0-9_.:/$*?]*"


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """One entry of the file."""

    match: str
    """Name or URN of the resources, whole, with `*` and `?` as wildcards."""
    change: str
    """What is allowed: `delete`, `replace`, `unprotect`, or the input whose change is."""
    reason: str
    expires: date
    """Last day on which it holds, in UTC."""

    def covers(self, name: str, urn: str, change: str) -> bool:
        """Whether it is meant for a change of a resource."""
        return self.change == change and (fnmatchcase(name, self.match) or fnmatchcase(urn, self.match))

    def holds(self, today: date) -> bool:
        return today <= self.expires


def read_allowances(text: str) -> tuple[Allowance, ...]:
    """Read the file. Raises ValueError naming every entry that is incomplete or cannot be read."""
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{FILE} must be JSON: {error}") from error
    if not isinstance(entries, list):
        raise ValueError(f"{FILE} must be a list of objects with {', '.join(_KEYS)}, got {type(entries).__name__}")
    problems = [f"entry {index} {problem}" for index, entry in enumerate(entries, 1) for problem in _problems(entry)]
    if problems:
        raise ValueError(f"{FILE}: " + "; ".join(problems))
    return tuple(
        Allowance(
            match=entry["match"],
            change=entry["change"],
            reason=" ".join(entry["reason"].split()),
            expires=date.fromisoformat(entry["expires"]),
        )
        for entry in entries
    )


def pattern_of(name: str) -> str:
    """A `match` that covers a name, whatever is in it."""
    return re.sub(r"[^-A-Za-z0-9_.:/$]", "?", name)


def _problems(entry: Any) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"must be an object with {', '.join(_KEYS)}, got {type(entry).__name__}"
        return
    yield from (f"must not have {key}" for key in entry if key not in _KEYS)
    match, change, reason, expires = (entry.get(key) for key in _KEYS)
    if not isinstance(match, str) or not re.fullmatch(_PATTERN, match):
        yield f"match must be a name or URN, with * and ? as wildcards, got {match}"
    if not isinstance(change, str) or not re.fullmatch(r"\w+", change):
        yield f"change must be delete, replace, unprotect or the input that changes, got {change}"
    if not isinstance(reason, str) or not reason.strip():
        yield f"reason must say why, got {reason}"
    if not _is_date(expires):
        yield f"expires must be a date such as 2026-12-31, got {expires}"


def _is_date(text: Any) -> bool:
    try:
        return isinstance(text, str) and bool(date.fromisoformat(text))
    except ValueError:
        return False
