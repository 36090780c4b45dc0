"""What every resource of the local cloud has in common, and how values travel between Pulumi and AWS's APIs."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from botocore.exceptions import ClientError

from tools.cloud.cloud import Cloud

Values = Mapping[str, Any]
"""Inputs or outputs of a resource, by their Pulumi names."""


class Keeper(Protocol):
    """Keeps the resources of one type on a local cloud.

    Each method raises botocore's ClientError when the cloud refuses.
    """

    honours: ClassVar[str]
    """Inputs that make a difference on the local cloud, with a space between two."""

    def __init__(self, cloud: Cloud) -> None: ...

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        """Create a resource under a physical name; its id, and what only creation can tell."""

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        """What the cloud says of a resource but its tags; a value None is nothing there, {} a resource gone.

        An `arn` is only told where it is another than the type's row makes.
        """

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        """Give a resource the inputs that it should have from now on."""

    def delete(self, id_: str, state: Values) -> None:
        """Delete a resource."""


@runtime_checkable
class Holding(Protocol):
    """Keeps resources that hold something of the user's."""

    def held(self, id_: str) -> str:
        """What is lost if a resource is deleted now; empty if nothing is."""


def is_gone(error: ClientError) -> bool:
    """Whether a refusal means that the resource does not exist."""
    code = error.response["Error"]["Code"]
    return any(part in code for part in ("NotFound", "NonExistent", "NoSuchEntity", "ResourceNotFound"))


FIFO = ("contentBasedDeduplication", "fifoQueue", "fifoTopic")
"""What SQS and SNS take of nothing but a FIFO queue or topic, not even if it is false."""


def attributes(inputs: Values, names: Mapping[str, str]) -> dict[str, str]:
    """Inputs under the API's attribute names and as the texts it wants."""
    others = () if any(inputs.get(each) for each in FIFO) else FIFO
    given = {target: inputs.get(source) for source, target in names.items() if source not in others}
    return {target: _text(value) for target, value in given.items() if value is not None}


def changed(inputs: Values, names: Mapping[str, str], old: Values) -> dict[str, str]:
    """The attributes that differ from those of `old`; what inputs lack is emptied."""
    before, now = attributes(old, names), attributes(inputs, names)
    return {name: now.get(name, "") for name in before | now if before.get(name) != now.get(name)}


def from_attributes(texts: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    """The attributes that the API answered, under Pulumi's names and in its types; None: it has none."""
    return {source: _value(texts[target]) if texts.get(target) else None for source, target in names.items()}


def lowered(told: Any) -> Any:
    """A structure of an API's under Pulumi's names, at any depth."""
    if isinstance(told, Mapping):
        return {key[0].lower() + key[1:]: lowered(value) for key, value in told.items()}
    return [lowered(each) for each in told] if isinstance(told, list) else told


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value) if isinstance(value, float) else value)


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if text.isdecimal() else text


def present(**values: Any) -> dict[str, Any]:
    """The keyword arguments that have a value, whole numbers as integers: what boto3 is to be called with."""
    return {name: whole(value) for name, value in values.items() if value is not None}


def whole(value: Any) -> Any:
    """A value with whole floats as integers, at any depth: Pulumi's wire knows no others."""
    if isinstance(value, Mapping):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same: numbers by value, and JSON texts by what they say."""
    if one == other or (not one and not other):  # false, empty and not there are the same to AWS
        return True
    if isinstance(one, str) and isinstance(other, str) and one[:1] == other[:1] and one[:1] in ("{", "["):
        try:
            return bool(json.loads(one) == json.loads(other))
        except ValueError:
            return False
    return False
