"""A small pipeline that breaks no rule, ways to break it, and a judge: each stack is written once, for both modes."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from framework.enforcement import policy
from framework.stack import (
    ALARM,
    FUNCTION,
    KEY,
    KEY_ALIAS,
    LOG_GROUP,
    MAPPING,
    QUEUE,
    QUEUE_POLICY,
    REDRIVE_ALLOW_POLICY,
    ROLE,
    ROLE_POLICY,
    SUBSCRIPTION,
    TABLE,
    TOPIC,
    TOPIC_POLICY,
)
from google.protobuf import struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import resource_pb2
from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    StackValidationArgs,
)
from pulumi_policy.policy import _NotApplicableError
from pulumi_policy.proxy import unknown_checking_proxy
from rules import RULES

from recording.graph import Graph, Resource

ACCOUNT = "123456789012"
POLICIES: Mapping[str, Any] = {rule.name: policy(rule) for rule in RULES}


@dataclass(frozen=True)
class Ref:
    """An output of another resource: known in an update, unknown in preview."""

    name: str
    output: str = "arn"


@dataclass(frozen=True)
class Json:
    """A JSON text, which is unknown as a whole as soon as one part of it is."""

    value: Any


@dataclass(frozen=True, kw_only=True)
class Node:
    """One resource of a made-up stack."""

    type: str
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False

    def output(self, key: str) -> str:
        """The outputs that AWS would compute, under the bare name."""
        service = self.type.split(":")[1].split("/")[0]
        kind = {QUEUE: "", TOPIC: "", FUNCTION: "function:", LOG_GROUP: "log-group:"}.get(self.type)
        resource = f"{kind}{self.name}" if kind is not None else f"{self.type.split(':')[-1].lower()}/{self.name}"
        if key == "url":
            return f"https://sqs.eu-central-1.amazonaws.com/{ACCOUNT}/{self.name}"
        return f"arn:aws:{service}:eu-central-1:{ACCOUNT}:{resource}" if key == "arn" else self.name


Pipeline = Mapping[str, Node]
Change = Callable[[Pipeline], Pipeline]


def document(*statements: Any) -> Json:
    """A policy document as JSON."""
    return Json({"Version": "2012-10-17", "Statement": list(statements)})


def tls_only(arn: Any, action: str = "sqs:*") -> dict[str, Any]:
    """The statement that refuses plain text."""
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": arn, "Condition": condition}


def from_topic(arn: Any, topic: Any, **changes: Any) -> dict[str, Any]:
    """The statement that lets SNS send for one topic."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return {key: value for key, value in {**statement, **changes}.items() if value is not None}


def for_service(service: str, *actions: str, condition: Any = None) -> dict[str, Any]:
    """A key policy statement for a service of this account."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt", *actions],
        "Resource": "*",
        "Condition": condition or {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }


ADMINISTERS = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
ADMITS_SNS = for_service("sns.amazonaws.com")
ADMITS_ALARMS = for_service("cloudwatch.amazonaws.com")
ADMITS_LOGS = for_service("logs.eu-central-1.amazonaws.com", "kms:Encrypt*", "kms:ReEncrypt*", "kms:Describe*")
TRUSTS_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
CONSUMES = {
    "Effect": "Allow",
    "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    "Resource": Ref("orders"),
}
WRITES = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": Ref("table")}
DECRYPTS = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": Ref("key")}
TRACES = {"Effect": "Allow", "Action": ["xray:PutTraceSegments"], "Resource": "*"}


def alarm(queue: str) -> Node:
    """An alarm on the messages in a dead-letter queue."""
    return Node(
        type=ALARM,
        name=f"{queue}-alarm",
        inputs={
            "namespace": "AWS/SQS",
            "metricName": "ApproximateNumberOfMessagesVisible",
            "dimensions": {"QueueName": Ref(queue, "name")},
            "comparisonOperator": "GreaterThanThreshold",
            "threshold": 0,
            "statistic": "Maximum",
            "treatMissingData": "notBreaching",
            "alarmActions": [Ref("alarms")],
        },
    )


def _nodes() -> Iterator[Node]:
    key = document(ADMINISTERS, ADMITS_SNS, ADMITS_ALARMS, ADMITS_LOGS)
    yield Node(type=KEY, name="key", inputs={"enableKeyRotation": True, "deletionWindowInDays": 30, "policy": key})
    yield Node(type=KEY_ALIAS, name="alias", inputs={"name": "alias/orders", "targetKeyId": Ref("key", "keyId")})
    encrypted = {"kmsMasterKeyId": Ref("key")}
    for topic in ("topic", "alarms"):
        yield Node(type=TOPIC, name=topic, inputs=encrypted)
        tls = document(tls_only(Ref(topic), "sns:Publish"))
        yield Node(type=TOPIC_POLICY, name=f"{topic}-policy", inputs={"arn": Ref(topic), "policy": tls})
    for queue in ("dead", "undelivered"):
        yield Node(type=QUEUE, name=queue, inputs={"messageRetentionSeconds": 1_209_600, **encrypted})
        senders = [from_topic(Ref(queue), Ref("topic"))] if queue == "undelivered" else []
        only_tls = document(*senders, tls_only(Ref(queue)))
        yield Node(
            type=QUEUE_POLICY, name=f"{queue}-policy", inputs={"queueUrl": Ref(queue, "url"), "policy": only_tls}
        )
        yield alarm(queue)
    redrive = Json({"deadLetterTargetArn": Ref("dead"), "maxReceiveCount": 3})
    yield Node(
        type=QUEUE, name="orders", inputs={"visibilityTimeoutSeconds": 180, "redrivePolicy": redrive, **encrypted}
    )
    allow = Json({"redrivePermission": "byQueue", "sourceQueueArns": [Ref("orders")]})
    yield Node(
        type=REDRIVE_ALLOW_POLICY, name="allow", inputs={"queueUrl": Ref("dead", "url"), "redriveAllowPolicy": allow}
    )
    accepts = document(from_topic(Ref("orders"), Ref("topic")), tls_only(Ref("orders")))
    yield Node(type=QUEUE_POLICY, name="orders-policy", inputs={"queueUrl": Ref("orders", "url"), "policy": accepts})
    yield Node(
        type=SUBSCRIPTION,
        name="subscription",
        inputs={
            "topic": Ref("topic"),
            "protocol": "sqs",
            "endpoint": Ref("orders"),
            "redrivePolicy": Json({"deadLetterTargetArn": Ref("undelivered")}),
        },
    )
    yield Node(
        type=TABLE,
        name="table",
        inputs={
            "billingMode": "PAY_PER_REQUEST",
            "pointInTimeRecovery": {"enabled": True},
            "serverSideEncryption": {"enabled": True, "kmsKeyArn": Ref("key")},
        },
    )
    yield Node(type=LOG_GROUP, name="logs", inputs={"retentionInDays": 30, "kmsKeyId": Ref("key")})
    yield Node(type=ROLE, name="role", inputs={"assumeRolePolicy": document(TRUSTS_LAMBDA)})
    permissions = document(CONSUMES, WRITES, DECRYPTS, TRACES)
    yield Node(type=ROLE_POLICY, name="permissions", inputs={"role": Ref("role", "name"), "policy": permissions})
    yield Node(
        type=FUNCTION,
        name="function",
        inputs={
            "runtime": "python3.12",
            "timeout": 30,
            "memorySize": 512,
            "role": Ref("role"),
            "tracingConfig": {"mode": "Active"},
            "environment": {"variables": {"TABLE_NAME": Ref("table", "name")}},
            "loggingConfig": {"logFormat": "JSON", "logGroup": Ref("logs", "name")},
        },
    )
    yield Node(
        type=MAPPING,
        name="mapping",
        inputs={
            "eventSourceArn": Ref("orders"),
            "functionName": Ref("function", "name"),
            "functionResponseTypes": ["ReportBatchItemFailures"],
            "scalingConfig": {"maximumConcurrency": 10},
        },
    )


def pipeline(*changes: Change) -> Pipeline:
    """The sound pipeline after some changes."""
    nodes: Pipeline = {node.name: node for node in _nodes()}
    for change in changes:
        nodes = change(nodes)
    return nodes


def given(name: str, /, **inputs: Any) -> Change:
    """Set inputs of one resource; None removes one."""

    def change(nodes: Pipeline) -> Pipeline:
        merged = {key: value for key, value in {**nodes[name].inputs, **inputs}.items() if value is not None}
        return {**nodes, name: replace(nodes[name], inputs=merged)}

    return change


def without(*names: str) -> Change:
    """Remove resources."""
    return lambda nodes: {name: node for name, node in nodes.items() if name not in names}


def added(type_: str, name: str, /, **inputs: Any) -> Change:
    """Add a resource."""
    return lambda nodes: {**nodes, name: Node(type=type_, name=name, inputs=inputs)}


def protected(name: str) -> Change:
    """Set the resource option `protect`."""
    return lambda nodes: {**nodes, name: replace(nodes[name], protect=True)}


def copies(nodes: Pipeline, count: int) -> Pipeline:
    """The pipeline several times over, side by side in one stack."""

    def renamed(value: Any, suffix: str) -> Any:
        match value:
            case Ref(name, output):
                return Ref(f"{name}{suffix}", output)
            case Json(inner):
                return Json(renamed(inner, suffix))
            case dict():
                return {key: renamed(item, suffix) for key, item in value.items()}
            case list():
                return [renamed(item, suffix) for item in value]
        return value

    suffixed = [
        replace(node, name=f"{node.name}-{copy}", inputs=renamed(dict(node.inputs), f"-{copy}"))
        for copy in range(count)
        for node in nodes.values()
    ]
    return {node.name: node for node in suffixed}


def _value(value: Any, nodes: Pipeline, *, preview: bool) -> Any:
    match value:
        case Ref(name, output):
            return rpc.UNKNOWN if preview else nodes[name].output(output)
        case Json(inner):
            return rpc.UNKNOWN if preview and list(_names(inner)) else json.dumps(_value(inner, nodes, preview=preview))
        case dict():
            return {key: _value(item, nodes, preview=preview) for key, item in value.items()}
        case list():
            return [_value(item, nodes, preview=preview) for item in value]
    return value


def _names(value: Any) -> Iterator[str]:
    match value:
        case Ref(name, _):
            yield name
        case Json(inner):
            yield from _names(inner)
        case dict():
            for item in value.values():
                yield from _names(item)
        case list():
            for item in value:
                yield from _names(item)


def graph(nodes: Pipeline, *, preview: bool, stack: str = "dev") -> Graph:
    """The pipeline as a recorded run of a program."""
    urns = {name: f"urn:pulumi:{stack}::orders::{node.type}::{name}" for name, node in nodes.items()}
    return Graph(
        stack=stack,
        preview=preview,
        exports={},
        resources=tuple(_recorded(node, nodes, urns, preview) for node in nodes.values()),
    )


def _recorded(node: Node, nodes: Pipeline, urns: Mapping[str, str], preview: bool) -> Resource:
    inputs = {key: _value(value, nodes, preview=preview) for key, value in node.inputs.items()}
    computed = {key: node.output(key) for key in ("arn", "url", "name", "id", "keyId")}
    return Resource(
        type=node.type,
        name=node.name,
        urn=urns[node.name],
        custom=True,
        request=resource_pb2.RegisterResourceRequest(type=node.type, name=node.name, object=struct(inputs)),
        properties=inputs,
        outputs=inputs if preview else computed | inputs,
        parent="",
        dependencies=(),
        property_dependencies={key: tuple(urns[name] for name in _names(value)) for key, value in node.inputs.items()},
        protect=node.protect,
    )


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Plain values as they go over the wire."""
    message = struct_pb2.Struct()
    message.update(values)
    return message


@dataclass(frozen=True)
class Judgement:
    """What the rules said."""

    violated: frozenset[str]
    """Names of the rules."""
    messages: tuple[str, ...]
    notes: tuple[str, ...]
    """What was exempt or has to wait, as "<rule>: <line>"."""


def judge(
    nodes: Pipeline,
    *,
    preview: bool,
    config: Mapping[str, Any] | None = None,
    stack: str = "dev",
) -> Judgement:
    """Run rules over a pipeline in this process, through the policy SDK's own argument types and proxies."""
    recorded = graph(nodes, preview=preview, stack=stack)
    resources, whole_stack = resource_arguments(recorded), policy_resources(recorded)
    violated: list[tuple[str, str]] = []
    notes: list[str] = []
    for rule in RULES:
        settings = (config or {}).get(rule.name)

        def report(message: str, urn: str | None = None, name: str = rule.name) -> None:
            assert urn, "every violation names its resource"
            violated.append((name, message))

        arguments: list[Any] = (
            [StackValidationArgs(whole_stack, settings)]
            if rule.check_in_stack
            else [resource_arguments_with(each, settings) for each in resources if each.resource_type in rule.on]
        )
        for each in arguments:
            try:
                POLICIES[rule.name].validate(each, report)
            except _NotApplicableError as note:
                notes += [f"{rule.name}: {line}" for line in (note.reason or "").splitlines()]
    return Judgement(
        violated=frozenset(name for name, _ in violated),
        messages=tuple(message for _, message in violated),
        notes=tuple(notes),
    )


def _options(resource: Resource) -> PolicyResourceOptions:
    return PolicyResourceOptions(resource.protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def resource_arguments(recorded: Graph) -> list[ResourceValidationArgs]:
    """What a resource policy is asked, for every resource."""
    return [
        ResourceValidationArgs(
            each.type, unknown_checking_proxy(dict(each.properties)), each.urn, each.name, _options(each), None
        )
        for each in recorded.resources
    ]


def resource_arguments_with(args: ResourceValidationArgs, settings: Any) -> ResourceValidationArgs:
    """The same question under a configuration."""
    return ResourceValidationArgs(args.resource_type, args.props, args.urn, args.name, args.opts, None, settings)


def policy_resources(recorded: Graph) -> list[PolicyResource]:
    """What a stack policy sees: outputs, which in preview are unknown even where nobody set them."""
    computed = ("arn", "url", "name", "id", "policy", "redrivePolicy", "sqsManagedSseEnabled")
    unknown = dict.fromkeys(computed, rpc.UNKNOWN) if recorded.preview else {}
    resources = {}
    for each in recorded.resources:
        properties = unknown_checking_proxy({**unknown, **each.outputs})
        resources[each.urn] = PolicyResource(
            each.type, properties, each.urn, each.name, _options(each), None, None, [], {}
        )
    for each in recorded.resources:
        for key, urns in each.property_dependencies.items():
            resources[each.urn].property_dependencies[key] = [resources[urn] for urn in urns]
    return list(resources.values())
