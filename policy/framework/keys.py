"""Which key encrypts what, and which documents say who may use it."""

from typing import Any

from framework import aws
from framework.stack import Resource, Stack


def is_managed_key(key: Any) -> bool:
    """Whether a key is one that AWS manages, whose policy nobody can change."""
    return isinstance(key, str) and key.split(":")[-1].startswith("alias/aws/")


def keys_of(resource: Resource, stack: Stack, key: str, *path: str) -> list[Resource]:
    """Return the keys of this stack that a property names; a name that several regions have means the nearest."""
    found = stack.pointed(resource, aws.KEY, key, *path)
    return [each for each in found if not each.apart(resource)] or found


def key_documents(key: Resource, stack: Stack) -> list[Any]:
    """Return the policy documents of a key: of its KeyPolicy resources, which overwrite it, or its own."""
    separate = [policy.get("policy") for policy in stack.pointing(key, aws.KEY_POLICY, "keyId")]
    return separate or [key.get("policy")]
