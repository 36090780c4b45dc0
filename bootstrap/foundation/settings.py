"""The configuration of the bootstrap: which repository deploys, and to which stacks."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi

# Repositories made since July 2026 have their owner's and their own number in a token's subject: octocat@1/orders@2.
# https://docs.github.com/en/actions/reference/security/oidc
_REPOSITORY = r"[A-Za-z0-9-]+(@\d+)?/[A-Za-z0-9._-]+(@\d+)?"
_PROVIDER = r"arn:aws[a-z-]*:iam::\d{12}:oidc-provider/token\.actions\.githubusercontent\.com"
_STACK = r"[A-Za-z0-9_-]{1,38}"  # what config.py lets a stack be called


@dataclass(frozen=True, kw_only=True)
class Settings:
    repository: str
    """`owner/name` as it stands in the subject of the repository's OIDC tokens; nobody else can assume the roles."""
    stacks: tuple[str, ...]
    """Stacks of this account, each deployed from the GitHub environment of the same name."""
    github_provider_arn: str | None
    """The account's OIDC provider for GitHub, if it has one already; it is used, and never changed or deleted."""


def load() -> Settings:
    """Read the configuration. Raises pulumi.RunError that lists every problem with its fix."""
    source = pulumi.Config()
    repository, provider = source.get("repository"), source.get("githubProviderArn")
    stacks = _list(source.get("stacks"))
    problems = [f"  {problem}" for problem in _problems(repository, stacks, provider)]
    if problems:
        raise pulumi.RunError("the configuration of the bootstrap has problems:\n" + "\n".join(problems))
    return Settings(repository=str(repository), stacks=tuple(stacks or ()), github_provider_arn=provider)


def _list(text: str | None) -> Any:
    """The value of a structured setting; as it was written if it is none, for the message."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _problems(repository: str | None, stacks: Any, provider: str | None) -> Iterator[str]:
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
    elif clashes := [f"{one} and {other}" for one in stacks for other in stacks if one.endswith(f"-{other}")]:
        yield (
            f"bootstrap:stacks must not hold a name that ends in another's after a hyphen, got {', '.join(clashes)}: "
            "their roles tell resources apart by the ends of their names\n"
            "    fix: rename one of each pair"
        )
    if provider is not None and not re.fullmatch(_PROVIDER, provider):
        yield (
            f"bootstrap:githubProviderArn must be the ARN of an OIDC provider for GitHub, got {provider}\n"
            "    fix: pulumi config set bootstrap:githubProviderArn "
            "arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com"
        )
