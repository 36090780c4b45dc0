"""The report: what a reviewer reads first comes first, and all of it fits a comment."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tools.review.changes import Change, Preview
from tools.review.coverage import kind_of, untried
from tools.review.differences import Difference, differences, written
from tools.review.findings import findings, sentence
from tools.review.markdown import code, folded, name, prose, quoted, size, table
from tools.review.policies import Policies
from tools.review.safety import Safety
from tools.review.trial import Trial
from tools.review.values import MISSING, SECRET, Mark

LIMIT = 65_536
"""Characters of a comment on GitHub. What the sections below may take, in bytes, comes to less."""
CHANGES, CREATED, POLICIES = 14_000, 12_000, 8_000
"""Bytes that each table may take."""
SHOWN = 8
"""Differences of one resource that are shown, and points to look at."""
HEADLINE = 200
"""Characters of what a headline names."""
COUNTED = {
    "replace": "replacement",
    "delete": "deletion",
    "update": "update",
    "create": "creation",
    "import": "import",
}
"""The operations that change something, the gravest first."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """All that is known of a change."""

    preview: Preview
    safety: Safety
    policies: Policies | None
    trial: Trial
    today: date

    @property
    def passes(self) -> bool:
        """Whether nothing speaks against the change."""
        return not (self.preview.problems or self.safety.unsafe or self.refused)

    @property
    def refused(self) -> int:
        """How many mandatory policies are violated."""
        return sum(verdict.mandatory for verdict in self.policies.verdicts) if self.policies else 0

    @property
    def changes(self) -> bool:
        """Whether anything in the cloud changes."""
        return any(change.counts and change.operation in COUNTED for change in self.preview.changes)

    @property
    def to_look_at(self) -> list[str]:
        """What a person has to decide, because nothing here could."""
        safety, found = self.safety, []
        found += [f"allowed: {sentence(each)}" for each in safety.findings if each.allowed]
        if rest := untried(self.preview, safety.findings, rehearsed=self.trial.held):
            found.append(f"changes what nobody can try here: {', '.join(rest)}")
        advisories = len(self.policies.verdicts) - self.refused if self.policies else 0
        if advisories:
            found.append(f"{advisories} advisory {'policy is' if advisories == 1 else 'policies are'} violated")
        found += [*self.preview.besides, *map(prose, self.trial.noticed)]
        if self.changes and not self.preview.whole:
            found.append("the preview leaves out what stays the same (`--show-sames`), with the policies in it")
        if self.trial.left_out and self.changes:
            found.append("not rehearsed")
        return found


def report(review: Review) -> str:
    """The review as Markdown."""
    preview = review.preview
    stack = f" of {name(preview.stack)}" if preview.stack else ""
    blocks = [
        f"### Review{stack}: {headline(review)}",
        preview.source,
        *_problems(preview),
        *_rehearsal(review),
        *findings(review.safety, review.today),
        *_to_look_at(review),
        *_changes(preview),
        *_policies(review.policies, whole=not preview.problems),
    ]
    return "\n\n".join(_fitting(blocks)) + "\n"


def _fitting(blocks: list[str]) -> Iterator[str]:
    """The blocks that fit a comment one after the other, and a word in place of each that does not."""
    room = LIMIT - 1000  # for what the workflow adds, and for those words
    for block in blocks:
        room -= size(block) + 1
        if room < 0:
            yield "*A part that is too long for a comment is left out; the log of the run has all.*"
            room += size(block) + 1
        else:
            yield block


def headline(review: Review) -> str:
    """The verdict in one sentence."""
    unsafe, counts, points = review.safety.unsafe, _counts(review.preview), review.to_look_at
    if unsafe:
        number = f" ({len(unsafe)} findings)" if len(unsafe) > 1 else ""
        return f"❌ UNSAFE{number}: {sentence(unsafe[0])}"
    if review.preview.problems:
        return "❌ FAILED: there is no whole preview to judge"
    if review.refused:
        number = "policy is" if review.refused == 1 else "policies are"
        return f"❌ REFUSED: {review.refused} mandatory {number} violated; {counts}"
    if points:
        number = f" ({len(points)} points)" if len(points) > 1 else ""
        first = points[0] if len(points[0]) <= HEADLINE else f"{points[0][:HEADLINE].rpartition(', ')[0]}, …"
        return f"⚠️ LOOK{number}: {first}; {counts}"
    return f"✅ {counts}, rehearsed: every order arrived" if review.changes else "✅ no changes"


def _counts(preview: Preview) -> str:
    counted = Counter(change.operation for change in preview.changes if change.counts)
    parts = [f"{counted[key]} {word}{'s' * (counted[key] != 1)}" for key, word in COUNTED.items() if counted[key]]
    return ", ".join(parts) or "no changes"


def _rehearsal(review: Review) -> Iterator[str]:
    trial = review.trial
    if trial.left_out and review.changes:
        yield f"Not rehearsed: {prose(trial.left_out)}."
    elif trial.said:
        yield f"Rehearsed on the local cloud: {prose(trial.said)}."


def _to_look_at(review: Review) -> Iterator[str]:
    points = review.to_look_at
    if points:
        yield "#### What nobody but you can decide"
        shown = [f"- {point}" for point in points[:SHOWN]]
        yield "\n".join((*shown, *([f"- {len(points) - SHOWN} others"] if len(points) > SHOWN else [])))


def _problems(preview: Preview) -> Iterator[str]:
    if preview.problems:
        yield "**Why it failed.** What is below is only what was known until then."
        yield quoted("\n".join(preview.problems))


def _changes(preview: Preview) -> Iterator[str]:
    changing = [change for key in COUNTED for change in preview.changes if change.counts and change.operation == key]
    told = [change for change in changing if change.operation not in ("create", "import")]
    made = [change for change in changing if change.operation in ("create", "import")]
    if told:
        yield "#### Changes"
        yield table(("", "resource", "what changes"), [_row(change) for change in told], CHANGES)
    if made:
        text = table(("", "resource", "with"), [_row(change) for change in made], CREATED)
        yield folded(f"{len(made)} new", text)
    same = sum(change.counts and change.operation in ("same", "read") for change in preview.changes)
    if same:
        yield f"{same} {'resource stays as it is' if same == 1 else 'resources stay as they are'}."


def _row(change: Change) -> tuple[str, str, str]:
    verb = f"**{change.operation}s**" if change.operation in ("delete", "replace") else f"{change.operation}s"
    found = differences(change)
    lines = [_difference(each, new=change.before is None) for each in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"and {len(found) - SHOWN} more")
    if change.reasons:
        lines.append(f"replaced because of {', '.join(code(reason) for reason in change.reasons[:SHOWN])}")
    if change.before and change.after and change.before.protect != change.after.protect:
        lines.append("protected from now on" if change.after.protect else "no longer protected")
    return verb, f"{name(change.state.name)}<br>{name(kind_of(change.state.type))}", "<br>".join(lines)


def _difference(difference: Difference, *, new: bool) -> str:
    """`path: old → new`, in which a mark is said in words; of a new resource, `path: value`."""
    path, before, after = code(difference.path, 80), difference.before, difference.after
    if new:
        return f"{path}: {_value(after)}"
    if before is SECRET and after is SECRET:
        return f"{path}: changes, and is a secret"
    if before is MISSING:
        return f"{path}: adds {_value(after)}"
    if after is MISSING:
        return f"{path}: removes {_value(before)}"
    return f"{path}: {_value(before)} → {_value(after)}"


def _value(value: object) -> str:
    return f"*{value.value}*" if isinstance(value, Mark) else code(written(value))


def _policies(policies: Policies | None, *, whole: bool) -> Iterator[str]:
    if policies is None:
        return
    yield "#### Policies"
    if policies.verdicts:
        rows = [
            (
                "❌ mandatory" if each.mandatory else "advisory",
                f"{name(each.resource)}<br>{code(each.rule)}" if each.resource else code(each.rule),
                prose(each.text),
            )
            for each in policies.verdicts
        ]
        yield table(("", "resource and rule", "what is wrong, and how to fix it"), rows, POLICIES)
    else:
        yield "No rule is violated." if whole else "The pack has not seen all of it."
    if policies.exempt:
        lines = [f"- {prose(line, 300)}" for line in policies.exempt[:20]]
        if len(policies.exempt) > 20:
            lines.append(f"- and {len(policies.exempt) - 20} more")
        yield "Exemptions in force:\n\n" + "\n".join(lines)
    elif policies.exempt is not None:
        yield "No exemption is in force."
    if policies.waiting is not None:
        wait = "policy check has" if policies.waiting < 2 else "policy checks have"
        yield f"{policies.waiting or 'No'} {wait} to wait for the update."
