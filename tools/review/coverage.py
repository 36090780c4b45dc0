"""What of a change nobody has tried or can decide: everything that no row of a type calls harmless."""

from collections import Counter
from collections.abc import Iterator

from tools.recording.row import Type
from tools.recording.types import TYPES, type_of
from tools.review.changes import OPTIONS, Change, Preview
from tools.review.differences import Difference, differences, top
from tools.review.losses import gains
from tools.review.markdown import name as shown
from tools.review.needs import lacks, takes_away
from tools.review.pipeline import ALARM, FUNCTION, QUEUE, Pipeline
from tools.review.safety import Finding
from tools.review.values import number


def untried(preview: Preview, findings: tuple[Finding, ...], *, rehearsed: bool) -> list[str]:
    """What a reviewer has to look at, as words that follow `changes what nobody can try here:`."""
    before, after = Pipeline(preview.states("before")), Pipeline(preview.states("after"))
    named = {(finding.urn, finding.kind) for finding in findings}
    found: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for change in preview.changes:
        if change.counts and change.operation != "read":
            for what in dict.fromkeys(_of_change(change, before, after, rehearsed=rehearsed)):
                if (change.state.urn, what) not in named and (change.state.urn, change.operation) not in named:
                    key = change.state.type, what
                    found[key] += 1
                    first.setdefault(key, change.state.name)
    told = [_words(type_, what, first[type_, what], count) for (type_, what), count in found.items()]
    return [*told, *(f"{each.who} {each.says}" for each in lacks(before, after) if not each.certain)]


def _words(type_: str, what: str, name: str, count: int) -> str:
    return f"{shown(what)} of {shown(name)}" if count == 1 else f"{shown(what)} of {count} {shown(kind_of(type_))}s"


def kind_of(type_: str) -> str:
    """What a type is called: its name in the picture, else the last part of its token."""
    return type_of(type_).box[0] or type_.rpartition(":")[2]


def _of_change(change: Change, before: Pipeline, after: Pipeline, *, rehearsed: bool) -> Iterator[str]:
    """The inputs, or `creation` and `deletion`, that are neither harmless nor covered."""
    type_ = type_of(change.state.type)
    if change.before is None or change.after is None:
        if change.state.type not in TYPES:
            yield "creation"
        elif change.operation == "delete" and not (type_.reasoned and not takes_away(change, before, after)):
            yield "deletion"
        return
    yield from _options(change, after)
    found = differences(change)
    tagged = any(top(each.path) == "tags" for each in found)
    for each in found:
        key = top(each.path)
        covered = (
            (key == "tagsAll" and tagged)
            or (rehearsed and key in type_.rehearsed.split())
            or (key in type_.reasoned.split() and not takes_away(change, before, after))
            or _is_harmless(type_, change.state.type, each)
            or _rings_as_before(change, each, before, after)
        )
        if not covered:
            yield key


def _options(change: Change, pipeline: Pipeline) -> Iterator[str]:
    """What the program says of a resource besides its inputs, and no longer says or says otherwise."""
    assert change.before is not None
    assert change.after is not None
    old, new = change.before.options, change.after.options
    yield from (f"the option {key}" for key in OPTIONS if old.get(key) != new.get(key))
    gone = change.before.dependencies - change.after.dependencies
    if any(state.urn in gone for state in pipeline.states):
        yield "the option dependsOn"


def _is_harmless(type_: Type, token: str, found: Difference) -> bool:
    path = found.path
    if any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in type_.harmless.split()):
        return True
    if gains(token, path, found.before, found.after):
        return True
    before, after = _size(found.before), _size(found.after)
    return path in type_.rising.split() and before is not None and after is not None and 0 <= before <= after


def _rings_as_before(change: Change, found: Difference, before: Pipeline, after: Pipeline) -> bool:
    """Whether an alarm's threshold is lower, or that of a time rises no more than what it watches may take."""
    was, becomes = number(found.before, -1), number(found.after, -1)
    alarm = change.state
    upwards = str(alarm.get("comparisonOperator")).startswith("GreaterThan")
    if alarm.type != ALARM or found.path != "threshold" or not upwards or was is None or becomes is None:
        return False
    longer = 1.0
    if alarm.get("metricName") in ("Duration", "ApproximateAgeOfOldestMessage"):
        for type_, key in ((FUNCTION, "timeout"), (QUEUE, "visibilityTimeoutSeconds")):
            for each in before.all(type_):
                old, new = number(each.get(key), 0), number((after.now(each) or each).get(key), 0)
                longer = max(longer, new / old if old and new else 1)
    return becomes <= was * longer


def _size(value: object) -> float | None:
    return float(value) if isinstance(value, bool) else number(value, -1)
