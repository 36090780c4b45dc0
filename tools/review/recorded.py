"""Compares two recorded runs of the program, in two folders, where no Pulumi engine can."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockResourceArgs

from tools.cloud.options import aliases_of, ignoring, named_by
from tools.recording.graph import Answer, Graph, Resource, program, record, recorded_answer
from tools.recording.pack import check
from tools.recording.running import own_modules
from tools.recording.stackfile import mapping
from tools.recording.types import checked, default_tags, type_of
from tools.review.changes import Change, Preview, State, name_of, state_of
from tools.review.differences import differences, top
from tools.review.markdown import name as shown
from tools.review.revision import edited_judges
from tools.review.values import FILES, SIGNATURE

SOURCE = (
    "From two recorded runs of the program, the change's and that of {named}, without an engine: what AWS and the "
    "stack's state hold is not known, nor what else follows from a replacement."
)
SEEN = ("config", "description", "author", "website", "license", "name")
"""Of a project or stack file, what shows in what is registered, or nowhere."""

Documents = Iterable[Mapping[str, Any]]
Names = Mapping[tuple[str, str], str]
"""By type and name, the name under which AWS knows a resource that the program has renamed."""


def documents(
    run: Callable[[Answer | None], Graph], root: Path, before: Documents = ()
) -> tuple[list[dict[str, Any]], Graph]:
    """Every resource of a run as Pulumi writes states to JSON, with the URNs that it had before; and the run.

    `run` records the program with what answers it. A resource that is one of `before` by an alias keeps its physical
    name, and with it its ARN: the program is then run again.
    """
    graph = run(None)
    found = _of_run(graph, root, {})
    old = {document["urn"] for document in before}
    names = {
        (document["type"], name_of(document["urn"])): name_of(alias)
        for document in found
        for alias in document["aliases"]
        if alias in old and document["urn"] not in old
    }
    if names:
        graph = run(_answer(graph.config["aws:region"], names))
        found = _of_run(graph, root, names)
    return found, graph


def _of_run(graph: Graph, root: Path, names: Names) -> list[dict[str, Any]]:
    earlier: dict[str, list[str]] = {}
    for each in graph.resources:  # parents come before their children
        earlier[each.urn] = aliases_of(each.urn, each.request, earlier.get(each.parent, ()))
    return [
        _document(each, root, names.get((each.type, each.name), each.name), earlier[each.urn], graph)
        for each in graph.resources
    ]


def _answer(region: str, names: Names) -> Answer:
    made = recorded_answer(region)

    def answer(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        args.inputs = {"name": names.get((args.typ, args.name), args.name), **args.inputs}
        return made(args)

    return answer


def _document(resource: Resource, root: Path, name: str, earlier: list[str], graph: Graph) -> dict[str, Any]:
    given, request = _hashed(MessageToDict(resource.request.object), root), resource.request
    inputs = checked(resource.type, name, given) if resource.custom else given
    if "region" in type_of(resource.type).replaced_by.split() and not request.provider:
        inputs.setdefault("region", graph.config["aws:region"])
    return {
        "urn": resource.urn,
        "type": resource.type,
        "custom": resource.custom,
        "protect": resource.protect,
        "retainOnDelete": request.retainOnDelete,
        "inputs": {**inputs, "__defaults": sorted(inputs.keys() - given.keys())},
        "dependencies": resource.dependencies,
        "propertyDependencies": resource.property_dependencies,
        "aliases": earlier,
        "ignoreChanges": list(request.ignoreChanges),
        "replaceOnChanges": list(request.replaceOnChanges),
        "deleteBeforeReplace": request.deleteBeforeReplace,
        "provider": request.provider,
    }


def _hashed(value: Any, root: Path) -> Any:
    """A value in which every file is told by its content: where a run finds it means nothing."""
    if isinstance(value, list):
        return [_hashed(item, root) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) in FILES and value.get("path"):
        path = root / value["path"]
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        content = b"".join(file.read_bytes() for file in files if file.is_file())
        return {**value, "path": "", "hash": hashlib.sha256(content).hexdigest()}
    made = {key: _hashed(item, root) for key, item in value.items()}
    if isinstance(made.get("assets"), dict):
        made["hash"] = hashlib.sha256(json.dumps(made["assets"], sort_keys=True).encode()).hexdigest()
    return made


def compare(before: Documents, after: Documents) -> Iterator[Change]:
    """What an update from one run to another would do, as far as the types of resources tell."""
    old = {document["urn"]: document for document in before}
    for document in after:
        urn = next((urn for urn in (document["urn"], *document["aliases"]) if urn in old), None)
        yield _change(state_of(old.pop(urn)) if urn else None, state_of(document))
    for document in old.values():
        yield Change(operation="delete", before=state_of(document))


def _change(before: State | None, after: State | None) -> Change:
    assert after is not None
    if before is None:
        return Change(operation="create", after=after)
    ignored = after.options.get("ignoreChanges", ())
    after = replace(after, inputs=ignoring(after.inputs, before.inputs, ignored)) if ignored else after
    both = Change(operation="same", before=before, after=after)
    changed = {top(each.path) for each in differences(both)}
    always = {key for key in changed if named_by(key, after.options.get("replaceOnChanges", ()))}
    reasons = tuple(sorted(changed & {*type_of(after.type).replaced_by.split()} | always))
    updated = changed or before.protect != after.protect or before.options != after.options
    operation = "replace" if reasons else "update" if updated else "same"
    return Change(operation=operation, before=before, after=after, reasons=reasons)


def compared(stack: str, before: Path, after: Path, named: str) -> tuple[Preview, list[dict[str, Any]]]:
    """The program in one folder against that in another, and what the policy pack says of it.

    Raises RuntimeError if one of the programs does not run.
    """
    new = not (before / f"Pulumi.{stack}.yaml").exists()
    old, was = ([], None) if new else documents(partial(_recorded, stack, before), before)
    found, graph = documents(partial(_recorded, stack, after), after, old)
    config = after / f"Pulumi.{stack}.policy.json"
    settings = json.loads(config.read_text()) if config.exists() else None
    graphs = _recorded(stack, after, preview=True), graph
    reports = [asdict(report) for report in check(*graphs, config=settings)]
    besides = [*edited_judges(before, after), *(_of_stack(was, graph) if was else ())]
    besides += [] if new else _unseen(stack, before, after)
    changes = tuple(compare(old, found))
    source = SOURCE.format(named=named)
    return Preview(source=source, stack=stack, changes=changes, whole=True, besides=tuple(besides)), reports


def _recorded(stack: str, root: Path, answer: Answer | None = None, *, preview: bool = False) -> Graph:
    try:
        with own_modules(root):
            return record(stack=stack, root=root, program=partial(program, root), answer=answer, preview=preview)
    except Exception as error:
        raise RuntimeError(f"the program in {root} must run, got {type(error).__name__}: {error}") from error


def _of_stack(before: Graph, after: Graph) -> Iterator[str]:
    """What changes and is no resource's: exports, on which others rely, and settings of the provider and the CLI."""
    for key in sorted({*before.exports, *after.exports}):
        was, becomes = before.exports.get(key), after.exports.get(key)
        longer = isinstance(was, list) and isinstance(becomes, list) and all(each in becomes for each in was)
        if key in before.exports and was != becomes and not longer:
            yield f"{'exports another' if key in after.exports else 'no longer exports'} {shown(key)}"
    if default_tags(before.config) != default_tags(after.config):
        yield "the tags that every resource gets by default change"
    for key in sorted({*before.config, *after.config}):
        own = key.startswith(f"{after.project}:") or key in ("aws:defaultTags", "aws:region")
        if not own and before.config.get(key) != after.config.get(key):
            yield f"the setting {shown(key)} changes, which shows only on AWS"


def _unseen(stack: str, before: Path, after: Path) -> Iterator[str]:
    """What of the project's and the stack's file no recorded run can see."""
    for name in ("Pulumi.yaml", f"Pulumi.{stack}.yaml"):
        old, new = (mapping(root / name) for root in (before, after))
        for key in sorted({*old, *new} - {*SEEN}):
            if old.get(key) != new.get(key):
                yield f"{name} changes {shown(key)}, which shows only on AWS"
        was, becomes = (
            {
                key: value
                for key, value in (file.get("config") or {}).items()
                if isinstance(value, Mapping) and "secure" in value
            }
            for file in (old, new)
        )
        if was != becomes:
            yield "a secret setting changes, which cannot be read here"
