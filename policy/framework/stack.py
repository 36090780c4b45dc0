"""The resources of a stack as the rules see them, and which of them names which."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from framework.values import MISSING, UNKNOWN, inside, items, json_object, read
from pulumi_policy import PolicyResource, ResourceValidationArgs

QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
REDRIVE_POLICY = "aws:sqs/redrivePolicy:RedrivePolicy"
REDRIVE_ALLOW_POLICY = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
FUNCTION = "aws:lambda/function:Function"
FUNCTION_URL = "aws:lambda/functionUrl:FunctionUrl"
PERMISSION = "aws:lambda/permission:Permission"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
INVOKE_CONFIG = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TABLE = "aws:dynamodb/table:Table"
SCALING_TARGET = "aws:appautoscaling/target:Target"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
MANAGED_POLICY = "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
KEY = "aws:kms/key:Key"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
KEY_ALIAS = "aws:kms/alias:Alias"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"

# What AWS or the provider assumes for a property that is not set. The CLI's provider check fills most of them in before
# a rule looks; a recorded run or a state file may not have them.
DEFAULTS: Mapping[tuple[str, str], Any] = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    (QUEUE, "visibilityTimeoutSeconds"): 30,
    (QUEUE, "messageRetentionSeconds"): 345_600,
    (QUEUE, "fifoQueue"): False,
    (TOPIC, "fifoTopic"): False,
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
    (FUNCTION, "timeout"): 3,
    (FUNCTION, "packageType"): "Zip",
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    (MAPPING, "batchSize"): 10,
    (MAPPING, "maximumBatchingWindowInSeconds"): 0,
    (TABLE, "billingMode"): "PROVISIONED",
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    (ALARM, "actionsEnabled"): True,
    (ALARM, "treatMissingData"): "missing",
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
    (KEY, "customerMasterKeySpec"): "SYMMETRIC_DEFAULT",
    (KEY, "deletionWindowInDays"): 30,
}

# Properties by which another resource may name one.
_IDENTIFIERS = ("arn", "id", "url", "name", "keyId")


@dataclass(frozen=True, eq=False, kw_only=True)
class Resource:
    """One resource: its inputs when judged alone, its outputs when judged within its stack."""

    type: str
    name: str
    urn: str
    protect: bool = False
    properties: Mapping[str, Any]
    dependencies: Mapping[str, Sequence[str]] | None = None
    """URNs that a property depends on, only of properties that depend on something; None when judged alone, where
    nothing is told. Old states and programs in some languages tell of no property at all."""
    depends_on: Sequence[str] = ()
    """URNs that the resource as a whole depends on, where no property of the stack tells of its own."""

    def get(self, key: str, *path: str) -> Any:
        """Return a property, or its default, as plain Python, UNKNOWN or MISSING."""
        value = read(self.properties, key)
        if value is UNKNOWN and not self.sets(key):
            value = MISSING  # an output that the provider computes, not something that the program set
        if value is MISSING:
            value = DEFAULTS.get((self.type, key), MISSING)
        return inside(value, *path)

    def sets(self, key: str) -> bool:
        """Whether the program may have given this property a value; no only where it certainly has not.

        An unknown output without dependencies of its own is one that the provider computes. A known one counts as set
        whoever set it: what it says is what AWS has.
        """
        if key not in list(self.properties):
            return False
        if self.dependencies is None:
            return True
        return (
            key in self.dependencies or bool(self.sources(key)) or read(self.properties, key) not in (UNKNOWN, MISSING)
        )

    def sources(self, key: str) -> Sequence[str]:
        """Return the URNs that a property may come from: all of the resource's, where properties tell of none."""
        return (self.dependencies or {}).get(key, self.depends_on)


@dataclass(frozen=True, eq=False)
class Stack:
    """All resources of a stack, with look-ups that stay fast however many there are."""

    resources: Sequence[Resource]
    _by_type: dict[str, list[Resource]] = field(init=False, default_factory=lambda: defaultdict(list))
    _by_urn: dict[str, Resource] = field(init=False, default_factory=dict)
    _by_identifier: dict[str, dict[str, list[Resource]]] = field(init=False, default_factory=dict)
    _by_target: dict[tuple[str, ...], dict[str, list[Resource]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for resource in self.resources:
            self._by_type[resource.type].append(resource)
            self._by_urn[resource.urn] = resource

    @property
    def tells_dependencies(self) -> bool:
        """Whether unknown values can be followed to where they come from: not every origin tells of properties."""
        return not any(each.depends_on for each in self.resources)

    def of(self, *types: str) -> list[Resource]:
        """Return the resources of some types."""
        return [resource for type_ in types for resource in self._by_type.get(type_, ())]

    def find(self, type_: str, identifier: str) -> list[Resource]:
        """Return the resources of a type that an ARN, id, URL or name stands for."""
        if type_ not in self._by_identifier:
            by_identifier = self._by_identifier[type_] = defaultdict(list)
            for resource in self.of(type_):
                values = (resource.get(key) for key in _IDENTIFIERS)
                for value in {value for value in values if isinstance(value, str)}:
                    by_identifier[value].append(resource)
        index = self._by_identifier[type_]
        if identifier in index:
            return index[identifier]
        # What the program spells out, such as an ARN or "table/Orders", ends in the name of a resource.
        found = index.get(identifier.split(":", 5)[-1].split("/", 1)[-1].removeprefix("function:"), [])
        is_arn = identifier.startswith("arn:")
        return [each for each in found if not (is_arn and isinstance(each.get("arn"), str))]

    def named(self, source: Resource, type_: str, value: Any, key: str) -> list[Resource]:
        """Return the resources of a type that a value names: by identifier if known, else by what `key` depends on.

        Dependencies may name too many (a text built from several outputs depends on all of them), never too few.
        """
        if isinstance(value, str):
            return self.find(type_, value)
        if value is not UNKNOWN:
            return []
        return [found for urn in source.sources(key) if (found := self._by_urn.get(urn)) and found.type == type_]

    def pointed(self, source: Resource, type_: str, key: str, *path: str) -> list[Resource]:
        """Return the resources of a type that a property names, inside objects, lists and JSON too."""
        values = items(json_object(source.get(key)) if path and isinstance(source.get(key), str) else source.get(key))
        for step in path:
            values = [item for value in values for item in items(inside(value, step))]
        return [resource for value in values for resource in self.named(source, type_, value, key)]

    def pointing(self, target: Resource, type_: str, key: str, *path: str) -> list[Resource]:
        """Return the resources of a type whose property names the target."""
        relation = (target.type, type_, key, *path)
        if relation not in self._by_target:
            index = self._by_target[relation] = defaultdict(list)
            for source in self.of(type_):
                for found in self.pointed(source, target.type, key, *path):
                    index[found.urn].append(source)
        return self._by_target[relation].get(target.urn, [])


def from_inputs(args: ResourceValidationArgs) -> Resource:
    """Return the one resource that a resource policy is asked about."""
    return Resource(
        type=args.resource_type, name=args.name, urn=args.urn, protect=args.opts.protect, properties=args.props
    )


def from_outputs(resources: Iterable[PolicyResource]) -> Stack:
    """Return the stack that a stack policy is asked about."""
    resources = list(resources)
    told = any(each.property_dependencies for each in resources)
    return Stack(
        [
            Resource(
                type=each.resource_type,
                name=each.name,
                urn=each.urn,
                protect=each.opts.protect,
                properties=each.props,
                dependencies={key: [d.urn for d in found] for key, found in each.property_dependencies.items()},
                depends_on=() if told else [dependency.urn for dependency in each.dependencies],
            )
            for each in resources
        ]
    )
