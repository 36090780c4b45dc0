"""What differs between two values of a resource: paths with old and new value, policy statements by their names."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.review.changes import Change
from tools.review.values import MISSING, SECRET, Mark

_NAMES = ("Sid", "name", "id")
"""Keys by which the members of a list are told apart."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value that differs."""

    path: str
    before: Any
    """Plain Python or a mark."""
    after: Any


def differences(change: Change) -> list[Difference]:
    """Every value that a change gives a resource, takes from it or changes; of a new one, what the program gives."""
    before, after = change.before, change.after
    if after is None:
        return []
    if before is None:
        chosen = [key for key in after.inputs if key not in after.defaults]  # by the program, and not by the provider
        return [Difference(path=key, before=MISSING, after=after.inputs[key]) for key in chosen]
    old = before.inputs
    found = list(_of_objects("", old, after.inputs))
    told = {top(each.path) for each in found}
    for path in dict.fromkeys(top(path) for path in change.paths):
        # Not among the inputs: a secret, which is not shown, or something that differs in the cloud.
        if path and path not in told:
            values = before.outputs.get(path, old.get(path, MISSING)), after.inputs.get(path, MISSING)
            found += list(_of_values(path, *values)) or [Difference(path=path, before=SECRET, after=SECRET)]
    return found


def top(path: str) -> str:
    """The input that a path begins with: `environment.variables["A"]` is a part of `environment`."""
    return re.split(r"[.\[]", path.removeprefix('["'), maxsplit=1)[0].removesuffix('"]').rstrip('"')


def _of_values(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_objects(path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(path, before, after)
    elif before != after or type(before) is not type(after):
        yield Difference(path=path, before=before, after=after)


def _of_objects(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in dict.fromkeys((*before, *after)):
        inner = f"{path}.{key}" if path else key
        yield from _of_values(inner, before.get(key, MISSING), after.get(key, MISSING))


def _of_lists(path: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    name = next((key for key in _NAMES if _named(before, key) and _named(after, key)), None)
    if name is not None:
        old, new = ({item[name]: item for item in items} for items in (before, after))
        for key in dict.fromkeys((*old, *new)):
            yield from _of_values(f"{path}[{key}]", old.get(key, MISSING), new.get(key, MISSING))
    elif len(before) == len(after) == 1:
        yield from _of_values(path, before[0], after[0])
    else:
        yield from _of_members(path, before, after)


def _named(items: list[Any], key: str) -> bool:
    names = [item.get(key) for item in items if isinstance(item, Mapping)]
    return len(items) == len(names) == len({str(name) for name in names}) and all(isinstance(n, str) for n in names)


def _of_members(path: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    """Members that are on one side only, in pairs if there are as many here as there; order alone counts last."""
    old, new = ({written(item) for item in items} for items in (before, after))
    gone = [item for item in before if written(item) not in new]
    come = [item for item in after if written(item) not in old]
    if not gone and not come:
        yield from [Difference(path=path, before=before, after=after)] if before != after else []
    elif len(gone) == len(come) and all(isinstance(item, Mapping) for item in (*gone, *come)):
        for was, becomes in zip(gone, come, strict=True):
            yield from _of_values(f"{path}[{before.index(was)}]", was, becomes)
    else:
        yield from (Difference(path=path, before=item, after=MISSING) for item in gone)
        yield from (Difference(path=path, before=MISSING, after=item) for item in come)


def written(value: Any) -> str:
    """A value as text: a text as it is, anything else as JSON, marks in words."""
    if isinstance(value, Mark):
        return value.value
    if isinstance(value, str):
        return value
    return json.dumps(value, default=lambda mark: f"({mark.value})", ensure_ascii=False, sort_keys=True)
