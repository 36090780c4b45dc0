"""Deploys a changed program again on the cloud that runs: what can change in place does, and the messages stay."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockResourceArgs

from live.handler import import_problem
from local.cloud import Cloud, CloudError
from local.provision import archive_bytes, provisioner
from recording.graph import Answer

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
            if args.typ not in IN_PLACE or set(different) & IN_PLACE[args.typ]:
                changes.waiting.append(what)
                return known.id, known.outputs
            if "code" in different and (reason := import_problem(args.inputs["code"], args.inputs["handler"])):
                raise CloudError(f"{args.name}, the last one runs on: {reason}")
            provisioner(_Updating(cloud, known.id))(args)  # type: ignore[arg-type]
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


def _update_queue(client: Any, id_: str, **request: Any) -> dict[str, Any]:
    client.set_queue_attributes(QueueUrl=id_, Attributes=request["Attributes"])
    return {"QueueUrl": id_}


def _update_topic(client: Any, id_: str, **request: Any) -> dict[str, Any]:
    for name, value in request["Attributes"].items():
        client.set_topic_attributes(TopicArn=id_, AttributeName=name, AttributeValue=value)
    return {"TopicArn": id_}


def _update_subscription(client: Any, id_: str, **request: Any) -> dict[str, Any]:
    for name, value in request["Attributes"].items():
        client.set_subscription_attributes(SubscriptionArn=id_, AttributeName=name, AttributeValue=value)
    return {"SubscriptionArn": id_}


def _update_function(client: Any, id_: str, **request: Any) -> Any:
    code = {"ZipFile": request.pop("Code")["ZipFile"], "Architectures": request.pop("Architectures")}
    client.update_function_code(FunctionName=id_, **code)
    settings = {name: value for name, value in request.items() if name not in ("FunctionName", "Tags", "Publish")}
    return client.update_function_configuration(FunctionName=id_, **settings)


def _update_mapping(client: Any, id_: str, **request: Any) -> Any:
    return client.update_event_source_mapping(
        UUID=id_, **{name: value for name, value in request.items() if name != "EventSourceArn"}
    )


UPDATES: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("sqs", "create_queue"): _update_queue,
    ("sns", "create_topic"): _update_topic,
    ("sns", "subscribe"): _update_subscription,
    ("lambda", "create_function"): _update_function,
    ("lambda", "create_event_source_mapping"): _update_mapping,
    ("logs", "create_log_group"): lambda _client, _id, **_request: {},
}
"""What to call instead of a creation for a resource that runs; the other calls of a creator overwrite."""

IN_PLACE: Mapping[str, frozenset[str]] = {
    "aws:sqs/queue:Queue": frozenset({"name", "fifoQueue"}),
    "aws:sns/topic:Topic": frozenset({"name", "fifoTopic"}),
    "aws:sns/topicSubscription:TopicSubscription": frozenset({"topic", "endpoint", "protocol"}),
    FUNCTION: frozenset({"name", "packageType"}),
    "aws:lambda/eventSourceMapping:EventSourceMapping": frozenset({"eventSourceArn"}),
    "aws:cloudwatch/logGroup:LogGroup": frozenset({"name", "kmsKeyId"}),
    "aws:cloudwatch/metricAlarm:MetricAlarm": frozenset({"name"}),
    "aws:cloudwatch/dashboard:Dashboard": frozenset({"dashboardName"}),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": frozenset({"name", "logGroupName"}),
    "aws:iam/rolePolicy:RolePolicy": frozenset({"name", "role"}),
    "aws:sns/topicPolicy:TopicPolicy": frozenset({"arn"}),
    "aws:sqs/queuePolicy:QueuePolicy": frozenset({"queueUrl"}),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": frozenset({"queueUrl"}),
}
"""The types whose resources can change while they run, and the inputs that cannot."""


class _Updating:
    """A cloud on which the creators update one resource: only the creation itself is another call."""

    def __init__(self, cloud: Cloud, id_: str) -> None:
        self._cloud, self._id = cloud, id_

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def client(self, service: str) -> Any:
        return _UpdatingClient(self._cloud.client(service), service, self._id)


class _UpdatingClient:
    def __init__(self, client: Any, service: str, id_: str) -> None:
        self._client, self._service, self._id = client, service, id_

    def __getattr__(self, name: str) -> Any:
        update = UPDATES.get((self._service, name))
        if update is None:
            return getattr(self._client, name)
        return lambda **request: update(self._client, self._id, **request)
