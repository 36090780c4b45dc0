"""What the programs register, as texts for a reviewer to read; `make golden` writes them again."""

import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from config import StackConfig, key_of
from tests.defaults import DEFAULTS, another, identity
from tests.unit.bootstrap import bootstrap
from tools.recording.graph import Graph, Resource, record

FOLDER = Path(__file__).parent / "golden"


def graph_text(graph: Graph) -> str:
    """Every resource by its place and name, with what it is given, and what the stack exports."""
    resources = {identity(each): _spelled(each) for each in sorted(graph.resources, key=identity)}
    document = {"resources": resources, "exports": dict(graph.exports)}
    return yaml.safe_dump(document, default_flow_style=None, width=140, allow_unicode=True)


def _spelled(resource: Resource) -> dict[str, Any]:
    after = sorted(urn.rpartition("::")[2] for urn in resource.dependencies)
    told = {"protect": resource.protect, "after": after, "inputs": _plain(resource.properties)}
    return {name: value for name, value in told.items() if value}


def _plain(value: Any) -> Any:
    """A value without the paths of this machine, and the documents in it opened."""
    if isinstance(value, Mapping):
        if "assets" in value:
            return sorted(value["assets"])
        return {name: _plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return _plain(json.loads(value)) if isinstance(value, str) and value.startswith('{"') else value


OTHERS = {f"orders:{key_of(field)}": another(field) for field in fields(StackConfig)}
"""By setting, another value than its default."""


def settings_text() -> str:
    """For each setting another value than its default, and every input that then differs."""
    lines = (line for key, value in OTHERS.items() for line in (f"{key}: {value}", *differing(key)))
    return "\n".join(lines) + "\n"


def differing(*keys: str) -> list[str]:
    """Every input that differs once some settings have other values."""
    before, after = _inputs(), _inputs(*keys)
    return [
        f"  {path}: {before.get(path, 'nothing')} -> {after.get(path, 'nothing')}"
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


@functools.cache
def _inputs(*keys: str) -> dict[str, Any]:
    """Every input by its path, where some settings have other values."""
    graph = record(config=DEFAULTS | {key: OTHERS[key] for key in keys})
    told = [(each.name, {"protect": each.protect, **_plain(each.properties)}) for each in graph.resources]
    return dict(leaf for name, inputs in told for leaf in _leaves(name, inputs))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping | list):
        for name, part in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _leaves(f"{path}.{name}", part)
    else:
        yield path, value


GOLDEN: Mapping[str, Callable[[], str]] = {
    "pipeline.yaml": lambda: graph_text(record(stack="dev", config=DEFAULTS)),
    "settings.txt": settings_text,
    "bootstrap.yaml": lambda: graph_text(bootstrap(stacks='["dev", "prod"]')),
}
"""By file, under settings of the tests' own."""


def main(names: Sequence[str]) -> None:
    """Write the texts that are named, or all."""
    for name in names or GOLDEN:
        (FOLDER / name).write_text(GOLDEN[name]())


if __name__ == "__main__":
    main(sys.argv[1:])
