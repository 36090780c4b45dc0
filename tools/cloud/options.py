"""The options of a resource that an engine honours before a provider is asked: aliases and ignored changes."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tools.recording.graph import STACK_TYPE


def aliases_of(urn: str, request: Any, of_parent: Iterable[str]) -> list[str]:
    """The URNs under which a resource may have been known before."""
    own = [*request.aliasURNs, *(_alias_urn(urn, alias) for alias in request.aliases)]
    return [*own, *(_inherited(urn, request.parent, alias) for alias in of_parent)]


def _alias_urn(urn: str, alias: Any) -> str:
    """The URN that an alias stands for."""
    if alias.urn:
        return str(alias.urn)
    head, project, types, name = urn.split("::", 3)
    *parents, own = types.split("$")
    if alias.spec.noParent:
        parents = []
    elif alias.spec.parentUrn:
        parents = [type_ for type_ in alias.spec.parentUrn.split("::")[2].split("$") if type_ != STACK_TYPE]
    head = f"urn:pulumi:{alias.spec.stack}" if alias.spec.stack else head
    qualified = "$".join([*parents, alias.spec.type or own])
    return "::".join([head, alias.spec.project or project, qualified, alias.spec.name or name])


def _inherited(urn: str, parent: str, alias: str) -> str:
    """What a resource was called while its parent was called `alias`."""
    *head, types, name = urn.split("::", 3)
    *_, parents, before = alias.split("::", 3)
    own = name.removeprefix(parent.split("::", 3)[3])
    return "::".join([*head, f"{parents}${types.split('$')[-1]}", before + own if own != name else name])


def _path(text: str) -> list[str]:
    """The parts of a property path: `tags["a.b"].c[0]`."""
    found = re.findall(r'\["((?:[^"\\]|\\.)*)"\]|\[([^"\]]+)\]|([^.\[\]]+)', text)
    return [next(part for part in parts if part) for parts in found]


def named_by(key: str, paths: Iterable[str]) -> bool:
    return any(_path(path)[:1] in ([key], ["*"]) for path in paths)


def ignoring(given: Mapping[str, Any], old: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Inputs with the old values at the paths whose changes are ignored."""
    new = json.loads(json.dumps(given))
    for path in paths:
        *way, last = _path(path)
        target, before = new, old
        for part in way:
            target, before = _at(target, part), _at(before, part)
        if isinstance(target, dict):
            if isinstance(before, Mapping) and last in before:
                target[last] = before[last]
            else:
                target.pop(last, None)
    return dict(new)


def _at(value: Any, part: str) -> Any:
    if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
        return value[int(part)]
    return value.get(part) if isinstance(value, Mapping) else None
