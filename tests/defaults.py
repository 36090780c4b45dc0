"""The program under settings of the tests' own: what a user's stack files say decides no test."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from config import StackConfig, key_of
from recording.graph import Graph, record
from recording.pages import text_of

BARE = Path(__file__).parent / "bare"
"""A project with a stack `dev` that sets nothing."""
DEFAULTS = {f"orders:{key_of(field)}": text_of(field.default) for field in fields(StackConfig)}
"""Every setting at its default, with full keys."""


def record_defaults(*, stack: str = "dev", config: dict[str, str] | None = None, **options: Any) -> Graph:
    """The run of a program with every setting at its default but those given."""
    return record(stack=stack, config={**DEFAULTS, **(config or {})}, **options)
