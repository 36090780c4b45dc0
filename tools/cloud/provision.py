"""Creates on the local cloud what the Pulumi program registers."""

import sys
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from pulumi.runtime.mocks import MockResourceArgs

from tools.cloud.cloud import Cloud, CloudError
from tools.cloud.resources import KEEPERS, Values
from tools.recording.graph import Answer
from tools.recording.types import checked, type_of


def provisioner(cloud: Cloud, say: Callable[[str], object] = sys.stderr.write) -> Answer:
    """Answer the program's registrations by creating each resource through boto3.

    A physical name is the resource's own name, unless the program gives one. `say` is told of inputs that make no
    difference here. Raises CloudError that names the type, if it is not one that the local cloud can keep.
    """

    def answer(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if unheeded := not_honoured(args.typ, args.inputs):
            say(f"{args.name}: the local cloud does not honour {', '.join(unheeded)} of {args.typ}\n")
        try:
            return create(cloud, args.typ, args.name, args.inputs)
        except ClientError as error:
            raise CloudError(f"the local cloud must accept {args.name} ({args.typ}), but answered: {error}") from error

    return answer


def create(cloud: Cloud, token: str, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
    """Create one resource under a name, unless its inputs have one; its id and outputs.

    Raises CloudError that names the type, if it is not one that the local cloud can keep.
    """
    if token not in KEEPERS:
        raise CloudError(
            f"resource type must be one the local cloud can keep, got {token} ({name}): "
            "add a class for it to tools/cloud/resources, and a row to tools/recording/types.py"
        )
    full = checked(token, name, inputs)
    named = type_of(token).named
    id_, computed = KEEPERS[token](cloud).create(full[named] if named else name, full)
    return id_, {**full, **computed}


def not_honoured(token: str, inputs: Values) -> list[str]:
    """The inputs, if set to something else than their default, that make no difference on the local cloud."""
    defaults = type_of(token).defaults
    honours = KEEPERS[token].honours if token in KEEPERS else inputs.keys()
    return sorted(
        name
        for name, value in inputs.items()
        if name not in honours and not name.startswith("__") and value is not None and value != defaults.get(name)
    )
