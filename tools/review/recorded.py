"""Compares two recorded runs of the program, the working tree's and a revision's, where no Pulumi engine can."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockResourceArgs

from tools.recording.graph import Answer, Graph, Resource, program, record, recorded_answer
from tools.recording.pack import check
from tools.recording.types import checked, type_of
from tools.review.changes import Change, Preview, State, name_of, state_of
from tools.review.differences import differences
from tools.review.values import FILES, SIGNATURE
from tools.root import ROOT

SOURCE = (
    "From two recorded runs of the program, the working tree's and that of {revision}, without an engine: what AWS and "
    "the stack's state hold is not known, nor what else follows from a replacement."
)


Documents = Iterable[Mapping[str, Any]]
Names = Mapping[tuple[str, str], str]
"""By type and name, the name under which AWS knows a resource that the program has renamed."""


def documents(run: Callable[[Answer | None], Graph], root: Path, before: Documents = ()) -> list[dict[str, Any]]:
    """Every resource of a run as Pulumi writes states to JSON, with the URNs that it had before.

    `run` records the program with what answers it. A resource that is one of `before` by an alias keeps its physical
    name, and with it its ARN: the program is then run again.
    """
    graph = run(None)
    earlier = _earlier(graph)
    found = [_document(each, root, each.name, earlier[each.urn]) for each in graph.resources]
    old = {document["urn"] for document in before}
    names = {
        (document["type"], name_of(document["urn"])): name_of(alias)
        for document in found
        for alias in document["aliases"]
        if alias in old and document["urn"] not in old
    }
    if not names:
        return found
    graph = run(_answer(graph.config["aws:region"], names))
    return [
        _document(each, root, names.get((each.type, each.name), each.name), earlier[each.urn])
        for each in graph.resources
    ]


def _earlier(graph: Graph) -> dict[str, list[str]]:
    """By URN, the URNs under which each resource was known before, as the engine tells them from its aliases.

    A child of a renamed component is renamed with it. Aliases of another parent, project or stack are not followed.
    """
    names: dict[str, list[str]] = {}
    earlier: dict[str, list[str]] = {}
    for each in graph.resources:  # parents come before their children
        given = [alias.spec.name or each.name for alias in each.request.aliases if alias.HasField("spec")]
        parent = name_of(each.parent)
        if each.name.startswith(parent):
            given += [old + each.name.removeprefix(parent) for old in names.get(each.parent, ())]
        names[each.urn] = given
        whole = [alias.urn for alias in each.request.aliases if alias.urn]
        earlier[each.urn] = whole + [each.urn.removesuffix(each.name) + name for name in given]
    return earlier


def _answer(region: str, names: Names) -> Answer:
    made = recorded_answer(region)

    def answer(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        args.inputs = {"name": names.get((args.typ, args.name), args.name), **args.inputs}
        return made(args)

    return answer


def _document(resource: Resource, root: Path, name: str, earlier: list[str]) -> dict[str, Any]:
    given = _hashed(MessageToDict(resource.request.object), root)
    return {
        "urn": resource.urn,
        "type": resource.type,
        "custom": resource.custom,
        "parent": resource.parent,
        "protect": resource.protect,
        "inputs": checked(resource.type, name, given) if resource.custom else given,
        "propertyDependencies": resource.property_dependencies,
        "aliases": earlier,
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
    both = Change(operation="same", before=before, after=after)
    changed = {each.path.split(".")[0].split("[")[0] for each in differences(both)}
    reasons = tuple(sorted(changed & type_of(after.type).replaced_by))
    operation = "replace" if reasons else "update" if changed or before.protect != after.protect else "same"
    return Change(operation=operation, before=before, after=after, reasons=reasons)


def compared(stack: str, against: str | None) -> tuple[Preview, list[dict[str, Any]]]:
    """The working tree's program against a revision's, and what the policy pack says of it.

    Raises RuntimeError if there is no such revision or one of the programs does not run.
    """
    commit = _commit(against)
    with tempfile.TemporaryDirectory() as folder:
        archive = _git("archive", "--format=tar", commit)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        before = _documents_of(Path(folder), stack)
    graphs = [record(stack=stack, preview=preview) for preview in (True, False)]
    revision = f"`{commit[:12]}`" + (f" (`{against}`)" if against else "")
    after = documents(lambda answer: record(stack=stack, answer=answer), ROOT, before)
    config = ROOT / f"Pulumi.{stack}.policy.json"
    settings = json.loads(config.read_text()) if config.exists() else None
    reports = [asdict(check(graph, config=settings)) for graph in graphs]
    source = SOURCE.format(revision=revision)
    return Preview(source=source, stack=stack, changes=tuple(compare(before, after)), whole=True), reports


def _commit(against: str | None) -> str:
    """The commit to compare with: where the work branched off, unless a revision is named."""
    if against is not None:
        return _git("rev-parse", "--verify", f"{against}^{{commit}}").decode().strip()
    try:
        return _git("merge-base", "origin/main", "HEAD").decode().strip()
    except RuntimeError:
        return _git("rev-parse", "HEAD").decode().strip()


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {' '.join(arguments)} must succeed, got: {done.stderr.decode().strip()}")
    return done.stdout


def _documents_of(root: Path, stack: str) -> list[dict[str, Any]]:
    """The resources of another copy of the project; none if it does not have the stack."""
    if not (root / f"Pulumi.{stack}.yaml").exists():
        return []
    # A process of its own: its modules have the names of ours.
    command = [sys.executable, "-m", "tools.review.recorded", str(root), stack]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the program of the other revision must run, got:\n{done.stderr[-2000:]}")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _main(root: Path, stack: str) -> None:
    run = partial(record, stack=stack, root=root, program=partial(program, root))
    json.dump(documents(lambda _: run(), root), sys.stdout)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
