"""The resources of a stack as the rules see them, and which of them names which."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from framework import aws
from framework.values import MISSING, UNKNOWN, inside, items, json_object, read
from pulumi_policy import PolicyResource, ResourceValidationArgs

# Properties by which another resource may name one.
_IDENTIFIERS = ("arn", "id", "url", "name", "keyId")

# What may stand between a property and the resource that it means.
_ALIASES = {aws.FUNCTION: (aws.FUNCTION_ALIAS, "functionName"), aws.KEY: (aws.KEY_ALIAS, "targetKeyId")}

# Most ARNs name a type before the resource; those of these services begin with it.
_RESOURCE_FIRST = ("s3", "sns", "sqs", "execute-api", "codecommit")

_inputs: dict[str, frozenset[str]] = {}
"""By URN, what each resource was given: the engine tells its inputs, one by one, before it asks about the stack."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Resource:
    """One resource: its inputs when judged alone, its outputs when judged within its stack."""

    type: str
    name: str
    urn: str
    protect: bool = False
    properties: Mapping[str, Any]
    inputs: frozenset[str] | None = None
    """Properties that the program has set, or the provider's check for it; None if nobody has told of its inputs."""
    dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """URNs that a property depends on, only of properties that depend on something. Old states and programs in some
    languages tell of no property at all."""
    provider_region: str = ""
    _known: dict[str, Any] = field(init=False, default_factory=dict)
    """Properties that have been read: the policy SDK looks for unknown values each time, and look-ups ask often."""

    def get(self, key: str, *path: str) -> Any:
        """Return a property, or its default, as plain Python, UNKNOWN or MISSING; it belongs to all who ask."""
        if key not in self._known:
            value = read(self.properties, key)
            if value is UNKNOWN and not self.sets(key):
                value = MISSING  # an output that the provider computes, not something that the program set
            self._known[key] = aws.DEFAULTS.get((self.type, key), MISSING) if value is MISSING else value
        return inside(self._known[key], *path)

    def sets(self, key: str) -> bool:
        """Whether the program sets a property; where nobody has told of its inputs, whether it may."""
        return key in (list(self.properties) if self.inputs is None else self.inputs)

    @cached_property
    def place(self) -> tuple[str, str]:
        """Region and account, each empty where it is not known."""
        arn, region = self.get("arn"), self.get("region")
        _, _, _, its_region, account, *_ = arn.split(":") if is_arn(arn) else [""] * 5
        return (region if isinstance(region, str) else its_region or self.provider_region, account)

    def apart(self, other: "Resource") -> bool:
        """Whether two resources are certainly in different regions or accounts."""
        return any(mine and its and mine != its for mine, its in zip(self.place, other.place, strict=True))


def is_arn(value: Any) -> bool:
    """Whether a value has the six parts of an ARN."""
    return isinstance(value, str) and re.match(r"arn(:[^:]*){4}:", value) is not None


def short_name(identifier: str) -> str:
    """Return what an identifier calls a resource within its account.

    `arn:aws:sqs:eu-west-1:123456789012:orders` is `orders`, `table/Orders` is `Orders`, and
    `arn:aws:lambda:eu-west-1:123456789012:function:process` is `process`.
    """
    within_account = identifier.split(":", 5)[-1]
    return within_account.split("/", 1)[-1].removeprefix("function:")


def named_in(arn: str) -> str:
    """Return what an ARN calls its resource, without the type before it and what the resource holds.

    `arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/*/*` is `a1b2c3`, and `...:log-group:/aws/lambda/x:*` is `aws`.
    """
    service, named = arn.split(":")[2], arn.split(":", 5)[5]
    type_, _, rest = named.replace(":", "/").partition("/")
    return type_ if service in _RESOURCE_FIRST or not rest else rest.lstrip("/").split("/")[0]


def _unqualified(function: str) -> str:
    """Return a function's name or ARN without the version or alias that may follow it."""
    parts = function.split(":")
    return ":".join(parts[: parts.index("function") + 2] if "function" in parts else parts[:1])


@dataclass(frozen=True, eq=False)
class Stack:
    """All resources of a stack, with look-ups that stay fast however many there are."""

    resources: Sequence[Resource]
    untold: set[str] = field(default_factory=set)
    """Unknown values that look-ups met and nothing says where they come from: what was not found may be there."""
    _by_type: dict[str, list[Resource]] = field(init=False, default_factory=lambda: defaultdict(list))
    _by_urn: dict[str, Resource] = field(init=False, default_factory=dict)
    _by_identifier: dict[str, dict[str, list[Resource]]] = field(init=False, default_factory=dict)
    _by_target: dict[tuple[str, ...], tuple[dict[str, list[Resource]], set[str]]] = field(
        init=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for resource in self.resources:
            self._by_type[resource.type].append(resource)
            self._by_urn[resource.urn] = resource

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
        identifier = _unqualified(identifier) if type_ == aws.FUNCTION else identifier
        if identifier in index:
            return index[identifier]
        # What the program spells out, such as an ARN or "table/Orders", ends in the name of a resource.
        found = index.get(short_name(identifier), [])
        return [each for each in found if not (is_arn(identifier) and isinstance(each.get("arn"), str))]

    def named(self, source: Resource, type_: str, value: Any, key: str) -> list[Resource]:
        """Return the resources of a type that a value names: by identifier if known, else by what `key` depends on.

        Functions and keys are found behind their aliases, too. Dependencies may name too many, where a text is built
        from several outputs.
        """
        found = self._named(source, type_, value, key)
        if type_ in _ALIASES:
            alias_type, target = _ALIASES[type_]
            for alias in self._named(source, alias_type, value, key):
                found = [*found, *self._named(alias, type_, alias.get(target), target)]
        return list(dict.fromkeys(found))

    def _named(self, source: Resource, type_: str, value: Any, key: str) -> list[Resource]:
        if isinstance(value, str):
            return self.find(type_, value)
        if value is not UNKNOWN:
            return []
        if not source.dependencies.get(key):
            self.untold.add(f"{key} of {source.name}")
        urns = source.dependencies.get(key, ())
        return [found for urn in urns if (found := self._by_urn.get(urn)) and found.type == type_]

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
            index: dict[str, list[Resource]] = defaultdict(list)
            met = self.untold.copy()
            self.untold.clear()
            for source in self.of(type_):
                for each in self.pointed(source, target.type, key, *path):
                    index[each.urn].append(source)
            self._by_target[relation] = index, self.untold.copy()
            self.untold.update(met)
        found, untold = self._by_target[relation]
        self.untold.update(untold)
        return found.get(target.urn, [])


def from_inputs(args: ResourceValidationArgs) -> Resource:
    """Return the one resource that a resource policy is asked about, and remember what it was given."""
    _inputs[args.urn] = frozenset(args.props)
    return Resource(
        type=args.resource_type, name=args.name, urn=args.urn, protect=args.opts.protect, properties=args.props
    )


def from_outputs(resources: Iterable[PolicyResource]) -> Stack:
    """Return the stack that a stack policy is asked about."""
    return Stack([_from_outputs(each) for each in resources])


def _from_outputs(each: PolicyResource) -> Resource:
    region = read(each.provider.props, "region") if each.provider else MISSING
    return Resource(
        type=each.resource_type,
        name=each.name,
        urn=each.urn,
        protect=each.opts.protect,
        properties=each.props,
        inputs=_inputs.get(each.urn),
        dependencies={key: [d.urn for d in found] for key, found in each.property_dependencies.items()},
        provider_region=region if isinstance(region, str) else "",
    )
