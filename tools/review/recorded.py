"""Compares two recorded runs of the program, the working tree's and a revision's, where no Pulumi engine can."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockResourceArgs

from tools.cloud.options import aliases_of
from tools.recording.graph import Answer, Graph, Resource, program, record, recorded_answer
from tools.recording.pack import check
from tools.recording.types import checked, default_tags, type_of
from tools.review.changes import Change, Preview, State, name_of, state_of
from tools.review.differences import differences
from tools.review.markdown import name as shown
from tools.review.revision import edited_judges, revision
from tools.review.values import FILES, SIGNATURE
from tools.root import ROOT

SOURCE = (
    "From two recorded runs of the program, the working tree's and that of {revision}, without an engine: what AWS and "
    "the stack's state hold is not known, nor what else follows from a replacement."
)


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
    earlier = _earlier(graph)
    found = [_document(each, root, each.name, earlier[each.urn], graph) for each in graph.resources]
    old = {document["urn"] for document in before}
    names = {
        (document["type"], name_of(document["urn"])): name_of(alias)
        for document in found
        for alias in document["aliases"]
        if alias in old and document["urn"] not in old
    }
    if not names:
        return found, graph
    graph = run(_answer(graph.config["aws:region"], names))
    return [
        _document(each, root, names.get((each.type, each.name), each.name), earlier[each.urn], graph)
        for each in graph.resources
    ], graph


def _earlier(graph: Graph) -> dict[str, list[str]]:
    """By URN, the URNs under which each resource may have been known before."""
    earlier: dict[str, list[str]] = {}
    for each in graph.resources:  # parents come before their children
        earlier[each.urn] = aliases_of(each.urn, each.request, earlier.get(each.parent, ()))
    return earlier


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
    ignored = {path: before.inputs[path] for path in after.options.get("ignoreChanges", ()) if path in before.inputs}
    after = replace(after, inputs={**after.inputs, **ignored})
    both = Change(operation="same", before=before, after=after)
    changed = {each.path.split(".")[0].split("[")[0] for each in differences(both)}
    replacing = {path.split(".")[0].split("[")[0] for path in after.options.get("replaceOnChanges", ())}
    if "*" in replacing:
        replacing = changed
    reasons = tuple(sorted(changed & ({*type_of(after.type).replaced_by.split()} | replacing)))
    updated = changed or before.protect != after.protect or before.options != after.options
    operation = "replace" if reasons else "update" if updated else "same"
    return Change(operation=operation, before=before, after=after, reasons=reasons)


def compared(stack: str, against: str | None) -> tuple[Preview, list[dict[str, Any]]]:
    """The working tree's program against a revision's, and what the policy pack says of it.

    Raises RuntimeError if there is no such revision or one of the programs does not run.
    """
    with revision(against) as (folder, commit):
        before = _run_of(folder, stack)
        secrets = [_secrets(root, stack) for root in (folder, ROOT)]
        judges = edited_judges(folder, ROOT)
    graphs = [record(stack=stack, preview=preview) for preview in (True, False)]
    after, graph = documents(lambda answer: record(stack=stack, answer=answer), ROOT, before["resources"])
    config = ROOT / f"Pulumi.{stack}.policy.json"
    settings = json.loads(config.read_text()) if config.exists() else None
    reports = [asdict(check(each, config=settings)) for each in graphs]
    named = f"`{commit[:12]}`" + (f" (`{against}`)" if against else "")
    besides = [*judges, *_of_stack(before, graph)] if before["resources"] else judges
    if secrets[0] != secrets[1]:
        besides.append("a secret setting changes, which cannot be read here")
    changes = tuple(compare(before["resources"], after))
    source = SOURCE.format(revision=named)
    return Preview(source=source, stack=stack, changes=changes, whole=True, besides=tuple(besides)), reports


def _of_stack(before: Mapping[str, Any], graph: Graph) -> Iterator[str]:
    """What changes and is no resource's: exports, on which others rely, and the tags that all resources get."""
    exports = json.loads(json.dumps(dict(graph.exports), default=str))
    for key in sorted({*before["exports"], *exports}):
        was, becomes = before["exports"].get(key), exports.get(key)
        longer = isinstance(was, list) and isinstance(becomes, list) and all(each in becomes for each in was)
        if key in before["exports"] and was != becomes and not longer:
            yield f"{'exports another' if key in exports else 'no longer exports'} {shown(key)}"
    if before["tags"] != default_tags(graph.config):
        yield "the tags that every resource gets by default change"


def _secrets(root: Path, stack: str) -> list[str]:
    """The encrypted settings of a stack, as they are written."""
    files = [file for file in (root / "Pulumi.yaml", root / f"Pulumi.{stack}.yaml") if file.exists()]
    return [line.strip() for file in files for line in file.read_text().splitlines() if "secure:" in line]


def _run_of(root: Path, stack: str) -> dict[str, Any]:
    """The resources, exports and default tags of another copy of the project; none if it does not have the stack."""
    if not (root / f"Pulumi.{stack}.yaml").exists():
        return {"resources": [], "exports": {}, "tags": {}}
    # A process of its own: its modules have the names of ours.
    command = [sys.executable, "-m", "tools.review.recorded", str(root), stack]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the program of the other revision must run, got:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _main(root: Path, stack: str) -> None:
    run = partial(record, stack=stack, root=root, program=partial(program, root))
    found, graph = documents(lambda _: run(), root)
    told = {"resources": found, "exports": dict(graph.exports), "tags": default_tags(graph.config)}
    json.dump(told, sys.stdout, default=str)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
