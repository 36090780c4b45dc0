"""What the policy pack says of a change: violations, exemptions in force, decisions that wait."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.review.values import read


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One rule broken by one resource."""

    rule: str
    mandatory: bool
    resource: str
    text: str
    """What is, and how to fix it."""


@dataclass(frozen=True, kw_only=True)
class Policies:
    """All that the pack said; what nobody asked it is None."""

    verdicts: tuple[Verdict, ...] = ()
    """The mandatory ones first."""
    exempt: tuple[str, ...] | None = None
    """Exemptions that allow something, each with its date and reason."""
    waiting: int | None = None
    """Decisions that need values which only the update knows."""


_TEXT = {"type": "string"}
_FINDING = {
    "type": "object",
    "required": ["kind", "rule", "level", "resource", "text", "requirement"],
    "additionalProperties": _TEXT,
}
_REPORTS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["mode", "findings"],
        "properties": {
            "mode": {"enum": ["preview", "update"]},
            "findings": {"type": "array", "items": _FINDING},
        },
    },
}
"""What the review relies on of what the pack's driver writes."""


def read_reports(text: str) -> list[Mapping[str, Any]]:
    """Read the pack's reports. Raises ValueError if they are something else."""
    return list(read(text, _REPORTS, "the policies must be what `./orders policy --json` writes"))


def policies(
    events: Sequence[Verdict] | None, reports: Iterable[Mapping[str, Any]] | None, *, new: bool
) -> Policies | None:
    """Put together what the engine heard from the pack and what `./orders policy --json` tells.

    The engine's verdicts count where it ran; it tells nothing of exemptions and decisions that wait. What waits in
    the first preview of a `new` stack has been decided in an update's.
    """
    if events is None and reports is None:
        return None
    reports = list(reports or ())
    verdicts = list(events) if events is not None else _verdicts(reports)
    return Policies(
        verdicts=tuple(sorted(verdicts, key=lambda each: (not each.mandatory, each.rule, each.resource))),
        exempt=_lines(reports, "exempt") if reports else None,
        waiting=len(_lines([each for each in reports if (each["mode"] == "preview") is new], "waits"))
        if reports
        else None,
    )


def _verdicts(reports: Iterable[Mapping[str, Any]]) -> list[Verdict]:
    found = [
        Verdict(
            rule=each["rule"],
            mandatory=each["level"] == "mandatory",
            resource=each["resource"],
            text=each["text"] or each["requirement"],
        )
        for report in reports
        for each in report["findings"]
        if each["kind"] == "violation"
    ]
    return list(dict.fromkeys(found))


def _lines(reports: Iterable[Mapping[str, Any]], kind: str) -> tuple[str, ...]:
    found = (each for report in reports for each in report["findings"] if each["kind"] == kind)
    return tuple(dict.fromkeys(f"{each['rule']}: {kind}: {each['resource']} {each['text']}" for each in found))
