"""What the AWS provider does for an engine, on the local cloud: check, diff, create, read, update and delete.

`service.py` offers these functions to the real engine, `deployment.py` calls them in this process. Values are those of
the wire: plain, keys in camelCase, an archive as a mapping with its hash. Old ones may have the hash alone.
https://www.pulumi.com/docs/iac/guides/building-extending/providers/
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from pulumi.runtime import rpc

from tools.cloud.cloud import Cloud, CloudError
from tools.cloud.resources import KEEPERS, Keeper, Values
from tools.cloud.resources.functions import zipped
from tools.cloud.resources.keeper import Holding, is_gone, same
from tools.cloud.resources.tags import tag
from tools.cloud.resources.tags import tags_of as tags_told
from tools.recording.types import DEFAULTS, checked, tags_of, type_of


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs between the inputs of a resource that runs and those that it should have."""

    keys: frozenset[str]
    """Inputs that differ, and `tagsAll`."""
    replaces: frozenset[str]
    """Those of them that a resource cannot change."""
    delete_first: bool
    """Whether the old resource has to go first: two of one name cannot exist at once."""


class UnknownTypeError(CloudError):
    """A resource is of a type that the local cloud cannot keep."""


def keeper_of(cloud: Cloud, token: str, name: str) -> Keeper:
    """Who keeps a resource. Raises UnknownTypeError that names the type if nobody can."""
    if token not in KEEPERS:
        raise UnknownTypeError(
            f"resource type must be one the local cloud can keep, got {token} ({name}): add a class for it to "
            f"tools/cloud/resources, and a row to tools/recording/types.py; there are {', '.join(sorted(KEEPERS))}"
        )
    return KEEPERS[token](cloud)


def not_honoured(token: str, inputs: Values) -> list[str]:
    """The inputs, if set to something else than their default, that make no difference on the local cloud."""
    defaults = type_of(token).defaults
    honours = KEEPERS[token].honours.split() if token in KEEPERS else inputs.keys()
    return sorted(
        name
        for name, value in inputs.items()
        if name not in honours and not name.startswith("__") and value is not None and value != defaults.get(name)
    )


def check(token: str, new: Values, old: Values, name: str) -> dict[str, Any]:
    """Fill in defaults and the physical name: the old one, if that was automatic too, else `name`."""
    inputs = checked(token, name, new)
    named = type_of(token).named
    if named and named not in new and named in old.get(DEFAULTS, ()):
        inputs[named] = old[named]
    inputs[DEFAULTS] = sorted(inputs.keys() - new.keys())
    return inputs


def misnamed(token: str, inputs: Values, stack: str) -> str:
    """What is wrong with a physical name, as AWS and the provider check it; empty if nothing is."""
    fewest, most, others = type_of(token).letters
    name = inputs.get(type_of(token).named or type_of(token).identity)
    if not most or not isinstance(name, str) or name == rpc.UNKNOWN:
        return ""
    base = name.removesuffix(".fifo") if inputs.get("fifoQueue") or inputs.get("fifoTopic") else name
    if fewest <= len(name) <= most and re.fullmatch(rf"[0-9A-Za-z{re.escape(others)}]+", base):
        return ""
    form = f"letters, digits and {' '.join(others)}"
    fits = f": a stack's name fits here with at most {most - len(name) + len(stack)} {form}" if stack in name else ""
    return f"a name must have {fewest} to {most} characters, {form}, got {name}, which has {len(name)}{fits}"


def diff(token: str, old: Values, new: Values, state: Values, tags: Mapping[str, str]) -> Difference:
    """Compare checked inputs; `state` are the outputs, `tags` the provider's default ones."""
    type_ = type_of(token)
    keys = {key for key in {*old, *new} - {DEFAULTS} if not same(_comparable(old.get(key)), _comparable(new.get(key)))}
    all_tags = tags_of(token, new, tags)
    if all_tags and state.get("tagsAll", {}) != all_tags["tagsAll"]:
        keys.add("tagsAll")
    replaces = frozenset(keys.intersection(type_.replaced_by.split()))
    named = type_.named
    fixed = named is not None and named not in new[DEFAULTS] and old.get(named) == new.get(named)
    return Difference(keys=frozenset(keys), replaces=replaces, delete_first=bool(replaces) and fixed)


def create(cloud: Cloud, token: str, name: str, inputs: Values, tags: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Create a resource; its id and outputs."""
    keeper = keeper_of(cloud, token, name)
    id_, made = keeper.create(inputs.get(type_of(token).named or "") or name, inputs)
    made = _with_arn(cloud, token, id_, {**inputs, **made})
    all_tags = tags_of(token, inputs, tags)
    if all_tags.get("tagsAll"):
        tag(cloud, made["arn"], id_, all_tags["tagsAll"], [])
    return id_, {**_computed(token, made), **inputs, **all_tags}


def planned(token: str, inputs: Values, state: Values, tags: Mapping[str, str]) -> dict[str, Any]:
    """The outputs before an update: what only the cloud can tell is as in `state`; before a creation it is unknown."""
    unknown = dict.fromkeys(type_of(token).computed.split(), rpc.UNKNOWN)
    return {**(_computed(token, state) or unknown), **inputs, **tags_of(token, inputs, tags)}


def read(
    cloud: Cloud, token: str, name: str, id_: str, inputs: Values, state: Values
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Inputs and outputs as they are, in the words of what was told where both mean the same; None if it is gone."""
    keeper = keeper_of(cloud, token, name)
    try:
        told = keeper.read(id_, state)
    except ClientError as error:
        if not is_gone(error):
            raise
        told = {}
    if not told:
        return None
    told = _with_arn(cloud, token, id_, {key: value for key, value in told.items() if key != "tags"})
    tags = {"tagsAll": tags_told(cloud, told["arn"], id_)} if type_of(token).tagged else {}
    if not inputs:  # an import: everything that can be an input is one
        inputs = {key: value for key, value in told.items() if key in keeper.honours.split() and value is not None}
    now = {key: told[key] for key in inputs if key in told and not same(inputs[key], told[key])}
    inputs = {key: value for key, value in {**inputs, **now}.items() if value is not None}
    return inputs, {**state, **_computed(token, told), **inputs, **tags}


def update(
    cloud: Cloud, token: str, name: str, id_: str, old: Values, new: Values, state: Values, tags: Mapping[str, str]
) -> dict[str, Any]:
    """Give a resource new inputs; its outputs."""
    keeper = keeper_of(cloud, token, name)
    keeper.update(id_, new, old)
    all_tags = tags_of(token, new, tags)
    if all_tags and state.get("tagsAll") != all_tags["tagsAll"]:
        gone = sorted(state.get("tagsAll", {}).keys() - all_tags["tagsAll"].keys())
        tag(cloud, state["arn"], id_, all_tags["tagsAll"], gone)
    return {**_computed(token, {**state, **keeper.read(id_, new)}), **new, **all_tags}


def delete(cloud: Cloud, token: str, name: str, id_: str, state: Values) -> str:
    """Delete a resource; what it held. One that is gone already is as good."""
    keeper = keeper_of(cloud, token, name)
    try:
        held = keeper.held(id_) if isinstance(keeper, Holding) else ""
        keeper.delete(id_, state)
    except ClientError as error:
        if not is_gone(error):
            raise
        return ""
    return held


def hashed(value: Any) -> Any:
    """Inputs as an engine sends them: each archive with the hash of what its files hold now."""
    if isinstance(value, Mapping):
        if value.get(rpc._special_sig_key) == rpc._special_archive_sig:  # noqa: SLF001 - the wire format's own name
            return {**value, "hash": hashlib.sha256(zipped(value)).hexdigest()}
        return {key: hashed(item) for key, item in value.items()}
    return [hashed(item) for item in value] if isinstance(value, list) else value


def files(archive: Values) -> list[str]:
    """The paths of the files that an archive is made of."""
    return [asset["path"] for asset in archive["assets"].values()]


def _comparable(value: Any) -> Any:
    """Of an archive its hash: an old one has nothing else."""
    return value.get("hash", value) if isinstance(value, Mapping) and rpc._special_sig_key in value else value  # noqa: SLF001


def _with_arn(cloud: Cloud, token: str, id_: str, told: Values) -> dict[str, Any]:
    """What is told of a resource, with the ARN that its type's row makes of its name or id, unless it has another."""
    name = told.get(type_of(token).named or "") or id_
    return {"arn": type_of(token).arn.format(region=cloud.region, account=cloud.account, name=name), **told}


def _computed(token: str, told: Values) -> dict[str, Any]:
    return {key: told[key] for key in type_of(token).computed.split() if told.get(key) is not None}
