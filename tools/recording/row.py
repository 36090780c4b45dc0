"""What one row of `types.py` says of a resource type: the provider's facts, orders, the picture."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """An arrow of the picture that a resource stands for, between what two of its inputs refer to."""

    source: str = ""
    """Input that refers to where it begins; empty: the resource itself."""
    target: str = ""
    """Input that refers to where it ends; empty: the resource itself."""
    label: Callable[[Values], str] = lambda _: ""
    line: str = "-->"


@dataclass(frozen=True, kw_only=True)
class Type:
    """One resource type of the provider. Lists of inputs or outputs are texts, with a space between two."""

    arn: str = ""
    """The ARN, made of {region}, {account} and {name}; empty: none of its own."""
    named: str | None = "name"
    """Input that the provider's check names automatically if the program does not; None: nothing to name."""
    prefix: str = ""
    """What an automatic name begins with."""
    letters: tuple[int, int, str] = (0, 0, "")
    """Fewest and most characters of a name, and those besides letters and digits; zeros: nobody checks it."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Inputs that the provider's check fills in."""
    computed: str = ""
    """Outputs that only creation can tell; unknown in preview where the program does not set them."""
    replaced_by: str = ""
    """Inputs whose change replaces the resource."""
    tagged: bool = True
    """Whether it takes tags: then `tagsAll` tells its own and the provider's default ones."""

    # What it means for orders; a part of an input is written `input.part`.
    holds: str = ""
    """What goes with one that is deleted or replaced, as words that follow `deletes NAME and`."""
    stops: str = "whether it holds orders has not been decided"
    """What ends with one that is deleted, as words that follow `deletes NAME:`; empty: nothing."""
    replaceable: bool = False
    """Whether another one that takes its place loses nothing."""
    instead: str = ""
    """The safe way to be rid of one."""
    harmless: str = ""
    """Inputs that no order notices."""
    rising: str = ""
    """Inputs that may go up, or on, without harm."""
    rehearsed: str = ""
    """Inputs whose effect on orders shows when the change is tried on the local cloud."""
    reasoned: str = ""
    """Policies: what they take away is decided by their words."""
    identity: str = ""
    """Inputs that name the one thing in the cloud that it is: two resources with the same are one."""

    box: tuple[str, str] = ("", "")
    """What it is called in the picture, and its outline in Mermaid's notation; empty: it is drawn as no box."""
    arrows: tuple[Arrow, ...] = ()


def batches(mapping: Values) -> str:
    return f"batches of {mapping['batchSize']}, {mapping['scalingConfig']['maximumConcurrency']} at once"


def filtered(subscription: Values) -> str:
    """What a message must have to be delivered: `delivers kind audit` for `{"kind": ["audit"]}`."""
    policy = json.loads(subscription.get("filterPolicy") or "{}")
    wanted = (f" {name} {' or '.join(map(str, values))}" for name, values in policy.items())
    return re.sub(r"[^\w ,.:-]", "", f"delivers{','.join(wanted)}")


def receives(queue: Values) -> str:
    return f"after {json.loads(queue['redrivePolicy'])['maxReceiveCount']} receives"
