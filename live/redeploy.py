"""Deploys a changed program again on the cloud that runs: what can change in place does, and the messages stay."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockResourceArgs

from live.handler import import_problem
from local.cloud import Cloud, CloudError
from local.provision import provisioner
from local.resources import KEEPERS
from local.resources.functions import archive_bytes
from recording.graph import Answer
from recording.schema import checked, type_of

FUNCTION = "aws:lambda/function:Function"
Key = tuple[str, str]
"""A resource's type and name."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A resource that runs."""

    args: MockResourceArgs
    id: str
    outputs: dict[str, Any]
    code: str
    """What a function's archive held when it was deployed; empty for other types."""


@dataclass(kw_only=True)
class Changes:
    """What deploying again did, and what it left."""

    done: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    """What only a restart of the local cloud can do."""

    def __str__(self) -> str:
        parts = list(self.done) or ["nothing to change"]
        if self.waiting:
            parts.append(f"needs a restart (it would lose orders or messages): {', '.join(self.waiting)}")
        return "; ".join(parts)


class Ledger:
    """What runs on the local cloud, as the program last asked for it."""

    def __init__(self) -> None:
        self._known: dict[Key, Known] = {}

    def observe(self, answer: Answer) -> Answer:
        """Creates as `answer` does, and remembers it."""

        def creating(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
            created, outputs = answer(args)
            self._remember(args, created, outputs)
            return created, outputs

        return creating

    def functions(self) -> Iterator[tuple[str, pulumi.AssetArchive, str]]:
        """Each function whose files differ from what runs: its resource's name, its archive, and its entry point."""
        for (type_, name), known in self._known.items():
            if type_ == FUNCTION and _code(known.args) != known.code:
                yield name, known.args.inputs["code"], known.args.inputs["handler"]

    def update_code(self, cloud: Cloud, name: str) -> None:
        """Give a function the files that its archive names, as they are now."""
        known = self._known[FUNCTION, name]
        code = {"ZipFile": archive_bytes(known.args.inputs["code"])}
        cloud.client("lambda").update_function_code(FunctionName=known.id, **code)
        self._remember(known.args, known.id, known.outputs)

    def again(self, cloud: Cloud, changes: Changes) -> Answer:
        """Answers the registrations of a changed program: keeps, updates in place, or creates."""
        create = provisioner(cloud)

        def answer(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
            known = self._known.get((args.typ, args.name))
            if known is None:
                created, outputs = create(args)
                self._remember(args, created, outputs)
                changes.done.append(f"created {args.name}")
                return created, outputs
            different = _different(known, args)
            if not different:
                return known.id, known.outputs
            what = f"{args.name} ({', '.join(different)})"
            if set(different) & type_of(args.typ).replaced_by:
                changes.waiting.append(what)
                return known.id, known.outputs
            if "code" in different and (reason := import_problem(args.inputs["code"], args.inputs["handler"])):
                raise CloudError(f"{args.name}, the last one runs on: {reason}")
            now, before = (checked(args.typ, args.name, each) for each in (args.inputs, known.args.inputs))
            KEEPERS[args.typ](cloud).update(known.id, now, before)
            outputs = {**known.outputs, **args.inputs}
            self._remember(args, known.id, outputs)
            changes.done.append(f"updated {what}")
            return known.id, outputs

        return answer

    def gone(self, registered: set[Key]) -> list[str]:
        """The resources that run and are no longer in the program."""
        return sorted(name for type_, name in self._known if (type_, name) not in registered)

    def _remember(self, args: MockResourceArgs, created: str, outputs: dict[str, Any]) -> None:
        self._known[args.typ, args.name] = Known(args=args, id=created, outputs=outputs, code=_code(args))


def _code(args: MockResourceArgs) -> str:
    archive = args.inputs.get("code") if args.typ == FUNCTION else None
    return hashlib.sha256(archive_bytes(archive)).hexdigest() if archive else ""


def _different(known: Known, args: MockResourceArgs) -> list[str]:
    """The inputs that differ from what runs; of a function's archive, what its files hold counts."""
    before, after = known.args.inputs, args.inputs
    names = [name for name in sorted({*before, *after} - {"code"}) if _text(before.get(name)) != _text(after.get(name))]
    return names if known.code == _code(args) else ["code", *names]


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
