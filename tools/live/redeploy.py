"""Deploys a changed program again on the cloud that runs: what can change in place does, and the messages stay."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pulumi
from botocore.exceptions import ClientError
from pulumi.runtime.mocks import MockResourceArgs

from tools.cloud.cloud import Cloud, CloudError
from tools.cloud.provision import provisioner
from tools.cloud.resources import KEEPERS
from tools.cloud.resources.functions import archive_bytes
from tools.cloud.resources.keeper import is_gone
from tools.live.handler import import_problem
from tools.recording.graph import Answer
from tools.recording.types import checked, type_of

FUNCTION = "aws:lambda/function:Function"
LASTING = frozenset(
    {
        FUNCTION,
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:dynamodb/table:Table",
        "aws:kms/key:Key",
        "aws:sns/topic:Topic",
        "aws:sqs/queue:Queue",
    }
)
"""Types that are neither replaced nor deleted here: they hold orders, messages or the log, or the page knows them."""
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
            parts.append(f"needs a restart (it would lose orders, messages or the log): {', '.join(self.waiting)}")
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
                if args.typ in LASTING:
                    changes.waiting.append(f"replacing {what}")
                    return known.id, known.outputs
                self._delete(cloud, (args.typ, args.name))
                created, outputs = create(args)
                self._remember(args, created, outputs)
                changes.done.append(f"replaced {what}")
                return created, outputs
            if "code" in different and (reason := import_problem(args.inputs["code"], args.inputs["handler"])):
                raise CloudError(f"{args.name}, the last one runs on: {reason}")
            now, before = (checked(args.typ, args.name, each) for each in (args.inputs, known.args.inputs))
            KEEPERS[args.typ](cloud).update(known.id, now, before)
            outputs = {**known.outputs, **args.inputs}
            self._remember(args, known.id, outputs)
            changes.done.append(f"updated {what}")
            return known.id, outputs

        return answer

    def remove(self, cloud: Cloud, registered: set[Key], changes: Changes) -> None:
        """Delete what runs and is no longer in the program, the last created first."""
        for key in [key for key in reversed(self._known) if key not in registered]:
            type_, name = key
            if type_ in LASTING:
                changes.waiting.append(f"removing {name}")
            else:
                self._delete(cloud, key)
                changes.done.append(f"deleted {name}")

    def _delete(self, cloud: Cloud, key: Key) -> None:
        known = self._known.pop(key)
        try:
            KEEPERS[known.args.typ](cloud).delete(known.id, known.outputs)
        except ClientError as error:
            if not is_gone(error):
                raise

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
