"""The part of the report that says what a change does to orders, how to avoid it, and how to allow it."""

import json
from collections.abc import Iterator
from datetime import date, timedelta

from tools.review.allowances import FILE, pattern_of
from tools.review.markdown import code, name, prose, table
from tools.review.safety import Finding, Safety

LIMIT = 12_000
"""Bytes that the table may take."""


def sentence(finding: Finding) -> str:
    """`deletes OrderQueue and the orders waiting in it`."""
    if finding.kind == "orders":
        return prose(finding.says)
    who = name(finding.who)
    if finding.kind in ("create", "delete", "replace"):
        return f"{finding.kind}s {who}{finding.says}"
    return f"{who} {finding.says}"


def findings(safety: Safety, today: date) -> Iterator[str]:
    """The paragraphs on what a change does to orders; none if it does nothing."""
    if safety.findings:
        yield "#### What this does to orders"
        first: dict[str, str] = {}
        rows = []
        for each in safety.findings:
            who = name(each.who)
            way = each.instead if first.setdefault(each.instead, who) == who else f"as for {first[each.instead]}"
            rows.append((_standing(each, today), sentence(each), way))
        yield table(("", "what happens", "the safe way"), rows, LIMIT)
    if safety.unsafe:
        expires = (today + timedelta(days=7)).isoformat()
        proposed = dict.fromkeys((pattern_of(each.who), each.kind) for each in safety.unsafe)
        entries = [
            {"match": match, "change": kind, "reason": "why it may happen", "expires": expires}
            for match, kind in list(proposed)[:5]
        ]
        text = "[\n" + ",\n".join(f"  {json.dumps(entry)}" for entry in entries) + "\n]"
        yield f"If it is meant all the same, say so in `{FILE}`, in the same change:\n\n```json\n{text}\n```"
    for idle in safety.idle[:10]:
        yield f"In `{FILE}`, the allowance of {code(idle.match)} ({code(idle.change)}) is not needed: remove it."


def _standing(finding: Finding, today: date) -> str:
    allowance = finding.allowance
    if allowance is None:
        return "❌ unsafe"
    if allowance.holds(today):
        return f"⚠️ allowed until {allowance.expires}: {prose(allowance.reason)}"
    return f"❌ unsafe: its allowance expired on {allowance.expires} ({prose(allowance.reason)})"
