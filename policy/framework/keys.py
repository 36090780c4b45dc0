"""Which key encrypts what, and which documents say who may use it."""

from typing import Any

from framework.stack import KEY, KEY_ALIAS, KEY_POLICY, Resource, Stack


def is_managed_key(key: Any) -> bool:
    """Whether a key is one that AWS manages, whose policy nobody can change."""
    return isinstance(key, str) and key.split(":")[-1].startswith("alias/aws/")


def keys_of(resource: Resource, stack: Stack, key: str, *path: str) -> list[Resource]:
    """Return the keys of this stack that a property names, directly or by an alias."""
    aliases = stack.pointed(resource, KEY_ALIAS, key, *path)
    return stack.pointed(resource, KEY, key, *path) + [
        found for alias in aliases for found in stack.pointed(alias, KEY, "targetKeyId")
    ]


def key_documents(key: Resource, stack: Stack) -> list[Any]:
    """Return the policy documents of a key: of its KeyPolicy resources, which overwrite it, or its own."""
    separate = [policy.get("policy") for policy in stack.pointing(key, KEY_POLICY, "keyId")]
    return separate or [key.get("policy")]
