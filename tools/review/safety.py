"""The verdict: what a preview would do to orders, and what of it somebody has allowed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from tools.review.allowances import Allowance
from tools.review.changes import Change, Preview
from tools.review.holdings import HOLDINGS, holding_of
from tools.review.losses import losses, unprotected


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a change would do to orders."""

    change: Change
    kind: str
    """What an allowance must name: `delete`, `replace`, `unprotect`, or the input that changes."""
    says: str
    """What happens, as words that follow the resource's name."""
    instead: str
    """The safe way."""
    allowance: Allowance | None = None
    """The one that allows it, or the last one that did."""
    allowed: bool = False


@dataclass(frozen=True, kw_only=True)
class Safety:
    """What the change does to orders."""

    findings: tuple[Finding, ...]
    """The unsafe ones first."""
    idle: tuple[Allowance, ...]
    """Allowances that nothing in the change asks for."""

    @property
    def unsafe(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.allowed)


def judge(preview: Preview, allowances: Sequence[Allowance], today: date) -> Safety:
    """Hold a preview against the tables of what holds orders and what loses them."""
    findings = [_with_allowance(each, allowances, today) for change in preview.changes for each in _findings(change)]
    used = {finding.allowance for finding in findings}
    return Safety(
        findings=tuple(sorted(findings, key=_gravity)),
        idle=tuple(each for each in allowances if each not in used),
    )


def _gravity(finding: Finding) -> tuple[bool, bool, int]:
    """What comes first: what is not allowed, what goes altogether, and the types in the order of their table."""
    type_ = finding.change.state.type
    place = list(HOLDINGS).index(type_) if type_ in HOLDINGS else len(HOLDINGS)
    return finding.allowed, finding.kind not in ("delete", "replace"), place


def _findings(change: Change) -> Iterator[Finding]:
    holding = holding_of(change.state.type, custom=change.state.custom)
    says = {"delete": holding.deleted, "replace": holding.replaced}.get(change.operation, "")
    if says and change.before is not None and change.before.retained:
        says = "AWS keeps it, but nothing of this stack uses it any more"
    if says:
        yield Finding(change=change, kind=change.operation, says=says, instead=holding.instead)
    if says or change.before is None or change.after is None:
        return
    for loss in losses(change.before, change.after):
        yield Finding(change=change, kind=loss.path[0], says=loss.says, instead=loss.instead)
    if holding.deleted and unprotected(change.before, change.after):
        yield Finding(
            change=change,
            kind="unprotect",
            says="may be deleted by Pulumi from then on",
            instead="Keep it protected; unprotect it only in the change that deletes it on purpose.",
        )


def _with_allowance(finding: Finding, allowances: Sequence[Allowance], today: date) -> Finding:
    """The finding with the allowance that holds longest, if there is one."""
    state = finding.change.state
    meant = [each for each in allowances if each.covers(state.name, state.urn, finding.kind)]
    if not meant:
        return finding
    best = max(meant, key=lambda each: each.expires)
    return replace(finding, allowance=best, allowed=best.holds(today))
