"""Reads what `pulumi preview --json` writes, and the policies' verdicts from its event log."""

import re
from collections.abc import Mapping
from typing import Any

from tools.review.changes import Change, Preview, name_of, operation_of, state_of
from tools.review.policies import Verdict
from tools.review.values import read

SOURCE = "From `pulumi preview`: the Pulumi engine's own plan, compared with the stack's state."
_STACK = "pulumi:pulumi:Stack"
_TEXT, _FLAG, _TEXTS = {"type": "string"}, {"type": "boolean"}, {"type": ["array", "null"], "items": {"type": "string"}}
_STATE = {
    "type": ["object", "null"],
    "required": ["urn", "type"],
    "properties": {
        **dict.fromkeys(("urn", "type", "parent"), _TEXT),
        **dict.fromkeys(("custom", "protect", "retainOnDelete"), _FLAG),
        "inputs": {"type": ["object", "null"], "properties": {"__defaults": _TEXTS}},
        "outputs": {"type": ["object", "null"]},
        "dependencies": _TEXTS,
        "propertyDependencies": {"type": ["object", "null"], "additionalProperties": _TEXTS},
    },
}
_STEP = {
    "type": "object",
    "required": ["op", "urn"],
    "properties": {
        "op": _TEXT,
        "urn": {"type": "string", "pattern": "^urn:pulumi:(.|\n)*::(.|\n)*::(.|\n)*::"},
        "oldState": _STATE,
        "newState": _STATE,
        "replaceReasons": _TEXTS,
        "diffReasons": _TEXTS,
        "detailedDiff": {"type": ["object", "null"]},
    },
}
_DIAGNOSTIC = {"type": "object", "required": ["message", "severity"], "additionalProperties": _TEXT}
SCHEMA = {
    "type": "object",
    "properties": {
        "steps": {"type": ["array", "null"], "items": _STEP},
        "diagnostics": {"type": ["array", "null"], "items": _DIAGNOSTIC},
        "changeSummary": {"type": ["object", "null"], "additionalProperties": {"type": "integer"}},
    },
}
"""What the review relies on of what the CLI writes: Pulumi's pkg/display/json.go."""
_POLICY_EVENT = {
    "type": "object",
    "required": ["policyEvent"],
    "properties": {
        "policyEvent": {
            "type": "object",
            "required": ["policyName", "enforcementLevel", "message"],
            "properties": dict.fromkeys(("policyName", "enforcementLevel", "message", "resourceUrn"), _TEXT),
        }
    },
}
_FAILED = "error: preview failed"
"""What the CLI says last, whatever the reason."""
_COLOUR = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")


def read_preview(text: str, *, stack: str = "", log: str = "", failed: bool = False, refused: bool = False) -> Preview:
    """Read a preview, and why it failed if it did; an unreadable one is a failed one.

    `log` is what the CLI wrote to standard error, `failed` whether it exited with an error, `refused` whether policies
    explain that.
    """
    try:
        document = read(text, SCHEMA, "The preview must be what `pulumi preview --json` writes")
        found: dict[str, list[Mapping[str, Any]]] = {}
        for step in document.get("steps") or ():
            found.setdefault(step["urn"], []).append(step)
        changes = tuple(map(_change, found.values()))
        same = (document.get("changeSummary") or {"same": len(changes) + 1}).get("same", 0)
        diagnostics = document.get("diagnostics") or []
        said = [_uncoloured(each["message"]) for each in diagnostics if each["severity"] == "error"]
    except ValueError as error:
        changes, same, said = (), 0, [str(error)]
    problems = [line for line in said if line != _FAILED]
    if (failed or said) and not problems and not refused:
        problems = ["The Pulumi CLI failed, and its preview does not say why."]
    if problems and log.strip():
        problems.append(_uncoloured(log)[-2000:])
    known = next((change.state.urn.split("::")[0].removeprefix("urn:pulumi:") for change in changes), "")
    return Preview(
        source=SOURCE,
        stack=stack or known,
        changes=tuple(change for change in changes if change.state.type != _STACK),
        problems=tuple(problems),
        whole=bool(changes) and sum(change.operation == "same" for change in changes) >= same,
    )


def _change(steps: list[Mapping[str, Any]]) -> Change:
    """The steps at one resource as one change: its first old state, its last new one."""
    before = next((step["oldState"] for step in steps if step.get("oldState")), None)
    after = next((step["newState"] for step in reversed(steps) if step.get("newState")), None)
    operation = operation_of({step["op"] for step in steps})
    if before is None and after is None:
        # The engine could not serialise the resource; what it is can still be told from its URN.
        urn = steps[0]["urn"]
        before = {"urn": urn, "type": urn.split("::")[2].rpartition("$")[2], "custom": True}
    return Change(
        operation=operation,
        before=state_of(before),
        after=None if operation == "delete" else state_of(after),
        reasons=tuple(dict.fromkeys(each for step in steps for each in step.get("replaceReasons") or ())),
        paths=tuple(
            dict.fromkeys(path for step in steps for path in step.get("detailedDiff") or step.get("diffReasons") or ())
        ),
    )


def read_events(text: str) -> list[Verdict]:
    """The policy violations in an engine's event log, one JSON object a line; what is none is left out."""
    verdicts = []
    for line in text.splitlines():
        try:
            said = read(line, _POLICY_EVENT, "an event must tell of a policy")["policyEvent"]
        except ValueError:
            continue  # another event, or a line that was cut off
        verdicts.append(
            Verdict(
                rule=said["policyName"],
                mandatory=said["enforcementLevel"] != "advisory",
                resource=name_of(said.get("resourceUrn", "")),
                text=_uncoloured(said["message"]),
            )
        )
    return list(dict.fromkeys(verdicts))


def _uncoloured(text: str) -> str:
    return _COLOUR.sub("", text).strip()
