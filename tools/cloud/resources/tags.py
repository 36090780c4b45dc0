"""Tags: each service has its own words for the same three calls."""

from collections.abc import Mapping
from typing import NamedTuple

from tools.cloud.cloud import Cloud


class Tagging(NamedTuple):
    """How a service is asked for tags."""

    resource: str
    """Argument that names the resource, by its ARN or else by its id."""
    tag: str = "tag_resource"
    untag: str = "untag_resource"
    tell: str = "list_tags_for_resource"
    by_id: bool = False
    pair: tuple[str, ...] = ("Key", "Value")
    """Names of a tag's parts in a list; empty: tags are a mapping."""
    tags: str = "Tags"
    keys: str = "TagKeys"


SERVICES: Mapping[str, Tagging] = {
    "cloudwatch": Tagging("ResourceARN"),
    "dynamodb": Tagging("ResourceArn", tell="list_tags_of_resource"),
    "iam": Tagging("RoleName", "tag_role", "untag_role", "list_role_tags", by_id=True),
    "kms": Tagging("KeyId", tell="list_resource_tags", by_id=True, pair=("TagKey", "TagValue")),
    "lambda": Tagging("Resource", tell="list_tags", pair=()),
    "logs": Tagging("resourceArn", pair=(), tags="tags", keys="tagKeys"),
    "sns": Tagging("ResourceArn"),
    "sqs": Tagging("QueueUrl", "tag_queue", "untag_queue", "list_queue_tags", by_id=True, pair=()),
}
"""By service, as an ARN names it."""


def tag(cloud: Cloud, arn: str, id_: str, tags: Mapping[str, str], gone: list[str]) -> None:
    """Give a resource tags, and take those away that are `gone`."""
    service = arn.split(":")[2]
    how, client = SERVICES[service], cloud.client(service)
    resource = {how.resource: id_ if how.by_id else arn}
    if gone:
        getattr(client, how.untag)(**resource, **{how.keys: gone})
    listed = [dict(zip(how.pair, each, strict=True)) for each in tags.items()] if how.pair else tags
    getattr(client, how.tag)(**resource, **{how.tags: listed})


def tags_of(cloud: Cloud, arn: str, id_: str) -> dict[str, str]:
    """The tags that a resource has."""
    service = arn.split(":")[2]
    how = SERVICES[service]
    told = getattr(cloud.client(service), how.tell)(**{how.resource: id_ if how.by_id else arn}).get(how.tags, {})
    return {each[how.pair[0]]: each[how.pair[1]] for each in told} if how.pair else dict(told)
