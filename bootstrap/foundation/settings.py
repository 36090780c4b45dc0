"""The configuration of the bootstrap: which repository deploys, and to which stacks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi

# Repositories made since July 2026 have their owner's and their own number in a token's subject: octocat@1/orders@2.
# https://docs.github.com/en/actions/reference/security/oidc
_REPOSITORY = r"[A-Za-z0-9-]+(@\d+)?/[A-Za-z0-9._-]+(@\d+)?"
_STACK = r"[A-Za-z0-9_.-]+"


@dataclass(frozen=True, kw_only=True)
class Settings:
    repository: str
    """`owner/name` as it stands in the subject of the repository's OIDC tokens; nobody else can assume the roles."""
    stacks: tuple[str, ...]
    """Stacks of this account, each deployed from the GitHub environment of the same name."""


def load() -> Settings:
    """Read the configuration. Raises pulumi.RunError that lists every problem with its fix."""
    source = pulumi.Config()
    repository, stacks = source.get("repository"), source.get_object("stacks")
    problems = [f"  {problem}" for problem in _problems(repository, stacks)]
    if problems:
        raise pulumi.RunError("the configuration of the bootstrap has problems:\n" + "\n".join(problems))
    return Settings(repository=str(repository), stacks=tuple(stacks or ()))


def _problems(repository: str | None, stacks: Any) -> Iterator[str]:
    if not re.fullmatch(_REPOSITORY, repository or ""):
        yield (
            f"bootstrap:repository must be OWNER/NAME, got {repository}\n"
            "    fix: pulumi config set bootstrap:repository OWNER/NAME"
        )
    if not (isinstance(stacks, list) and stacks and all(re.fullmatch(_STACK, str(each)) for each in stacks)):
        yield (
            f"bootstrap:stacks must be a list of stack names, got {stacks}\n"
            "    fix: pulumi config set --path 'bootstrap:stacks[0]' dev"
        )
