"""What a change would do to orders, and what of it somebody has allowed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from tools.recording.types import TYPES, type_of
from tools.review.allowances import Allowance
from tools.review.changes import Change, Preview, State
from tools.review.losses import losses
from tools.review.needs import lacks
from tools.review.pipeline import ALARM, MAPPING, SUBSCRIPTION, TOPIC, Pipeline

ALIAS = "If only its name in the program changes, keep it: `aliases=[pulumi.Alias(name=OLD_NAME)]`."


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a change would do to orders."""

    who: str
    """Name of the resource, or of who is in the way of orders."""
    kind: str
    """What an allowance must name: `delete`, `replace`, `unprotect`, the input that changes, or another one word."""
    says: str
    """What happens, as words that follow `deletes NAME` or `replaces NAME`, or the name."""
    instead: str
    """The safe way."""
    urn: str = ""
    gravity: tuple[bool, bool, int] = (True, True, 0)
    """The lower, the graver: what goes altogether, what holds orders, and the types in the order of their rows."""
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


def judge(preview: Preview, allowances: Sequence[Allowance], today: date, lost: Iterable[str] = ()) -> Safety:
    """Hold a preview against what holds orders and what loses them; `lost` is what a rehearsal saw."""
    before, after = Pipeline(preview.states("before")), Pipeline(preview.states("after"))
    found = [
        *(_of_rehearsal(each) for each in lost),
        *(each for change in preview.changes for each in _of_change(change, before, after)),
        *(each for change in preview.changes for each in _of_creation(change, before, after)),
        *(
            Finding(
                who=each.who,
                kind="access",
                says=each.says,
                instead="Keep what it may do; for a key, until no order waits that the old one encrypts.",
            )
            for each in lacks(before, after)
            if each.certain
        ),
    ]
    findings = [_with_allowance(each, allowances, today) for each in found]
    used = {finding.allowance for finding in findings}
    return Safety(
        findings=tuple(sorted(findings, key=lambda each: (each.allowed, each.gravity, each.who))),
        idle=tuple(each for each in allowances if each not in used),
    )


def _of_rehearsal(says: str) -> Finding:
    return Finding(
        who="rehearsal",
        kind="orders",
        says=says,
        instead="Mend the change; `./orders rehearse` tries it again.",
        gravity=(False, False, -1),
    )


def _of_change(change: Change, before: Pipeline, after: Pipeline) -> Iterator[Finding]:
    """What goes with a resource, or else what its update loses."""
    state, type_ = change.state, type_of(change.state.type)
    if change.before is not None and change.counts:
        twin = _twin(change.before, after) if change.operation == "delete" else None
        if twin is not None or is_grave(change, before):
            says = f": {type_.stops}"
            if type_.holds:
                says = f" and {'deletes ' if change.operation == 'replace' else ''}{type_.holds}"
            if change.before.retained:
                says = ": AWS keeps it, but nothing of this stack uses it any more"
            way = f"{ALIAS} {type_.instead}".rstrip()
            if twin is not None:
                says = f" together with {twin.name}, which is made first and is the same thing in the cloud"
                way = (
                    f"{ALIAS} Where it has happened, `make up ARGS=--refresh`: the state does not see what is missing."
                )
            yield _finding(state, change.operation, says, way)
            return
    if change.before is None or change.after is None:
        return
    for loss in losses(change.before, change.after):
        yield _finding(state, loss.path.split(".")[0], loss.says, loss.instead)
    if (type_.holds or type_.stops) and change.before.protect and not change.after.protect:
        way = "Keep it protected; unprotect it only in the change that deletes it on purpose."
        yield _finding(state, "unprotect", "may be deleted by Pulumi from then on", way)


def _finding(state: State, kind: str, says: str, instead: str) -> Finding:
    order = list(TYPES)
    place = order.index(state.type) if state.type in TYPES else len(order)
    gravity = (kind not in ("delete", "replace"), not type_of(state.type).holds, place)
    return Finding(who=state.name, urn=state.urn, kind=kind, says=says, instead=instead, gravity=gravity)


def is_grave(change: Change, before: Pipeline) -> bool:
    """Whether a deletion or replacement takes orders, their delivery or the word about them with it."""
    state, type_ = change.state, type_of(change.state.type)
    if change.operation not in ("delete", "replace") or not (type_.holds or type_.stops):
        return False
    if change.operation == "replace" and type_.replaceable:
        return False
    return not _only_tells(state, before)


def _only_tells(state: State, before: Pipeline) -> bool:
    """Whether people alone are told by it: an e-mail subscription, or a topic that nothing but alarms publishes to."""
    if state.type == SUBSCRIPTION:
        return str(state.get("protocol")).startswith("email") or state.get("protocol") == "sms"
    if state.type != TOPIC:
        return False
    listening = [each for each in before.all(SUBSCRIPTION) if before.of(each, "topic", TOPIC) is state]
    return all(_only_tells(each, before) for each in listening) and any(
        before.of(alarm, "alarmActions", TOPIC) is state for alarm in before.all(ALARM)
    )


def _twin(state: State, after: Pipeline) -> State | None:
    """Another resource that is the same thing in the cloud."""
    keys = type_of(state.type).identity.split()
    identity = [state.get(key) for key in keys]
    if not identity or not all(isinstance(each, str) and "…" not in each for each in identity):
        return None
    others = [each for each in after.all(state.type) if each.urn != state.urn]
    return next((each for each in others if [each.get(key) for key in keys] == identity), None)


def _of_creation(change: Change, before: Pipeline, after: Pipeline) -> Iterator[Finding]:
    """What a new resource takes from one that stays."""
    state = change.after
    if change.before is not None or state is None:
        return
    twin = _twin(state, after)
    if twin is not None:
        says = f": {twin.name} is the same thing in the cloud, and only what is written last counts"
        yield _finding(state, "create", says, f"Change {twin.name} instead.")
    source = state.get("eventSourceArn")
    for other in after.all(MAPPING) if state.type == MAPPING and isinstance(source, str) else ():
        if other is not state and other.get("eventSourceArn") == source and before.now(other) is not None:
            says = f": {other.name} reads the same queue, and each gets only some of the orders"
            yield _finding(state, "create", says, "Give it a queue of its own: docs/changing.md.")


def _with_allowance(finding: Finding, allowances: Sequence[Allowance], today: date) -> Finding:
    meant = [each for each in allowances if each.covers(finding.who, finding.urn, finding.kind)]
    if not meant:
        return finding
    best = max(meant, key=lambda each: each.expires)
    return replace(finding, allowance=best, allowed=best.holds(today))
