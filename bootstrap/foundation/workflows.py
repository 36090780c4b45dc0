"""The roles that the repository's GitHub workflows assume for a stack, without a stored credential."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import iam

from foundation.account import Stack
from foundation.grant import Grant, document, policy
from foundation.permissions import boundary, of_keys, of_stack
from foundation.state import State, of_state

_ISSUER = "token.actions.githubusercontent.com"
_AUDIENCE = "sts.amazonaws.com"


PREVIEWED = ("dev", "prod")
"""The stacks that pull requests are previewed on, so that their code may read these states."""


@dataclass(frozen=True, kw_only=True)
class WorkflowsArgs:
    stack: Stack
    repository: str
    """`owner/name` as it stands in the subject of its tokens."""
    github_provider_arn: pulumi.Input[str]
    state: State


class Workflows(pulumi.ComponentResource):
    """A role that previews a stack and one that deploys it, and the boundary of every role that the latter creates."""

    def __init__(self, name: str, args: WorkflowsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bootstrap:index:Workflows", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        stack = args.stack
        limit = iam.Policy(
            f"{name}-boundary",
            description="The most that a role created by the deploy role can do",
            policy=json.dumps(boundary(stack)),
            opts=child,
        )
        provider_arn = pulumi.Output.from_input(args.github_provider_arn)
        granted = {
            **of_stack(stack, boundary_arn=limit.arn),
            "state": of_state(stack, args.state),
            "keys": [of_keys(stack)],
        }

        def role(purpose: str, *subjects: str, branch: str = "", writes: bool) -> iam.Role:
            made = iam.Role(
                f"{name}-{purpose}",
                description=f"GitHub workflows of {args.repository}: {purpose} {stack.name}",
                assume_role_policy=provider_arn.apply(
                    lambda arn: json.dumps(_trust(arn, args.repository, subjects, branch))
                ),
                opts=child,
            )
            for part, grants in granted.items():
                _permit(f"{name}-{purpose}-{part}", made, grants, child, writes=writes)
            return made

        # The nightly look for drift on the main branch, and of some stacks the previews of pull requests.
        readers = ["ref:refs/heads/main", *(["pull_request"] if stack.name in PREVIEWED else [])]
        preview = role("preview", *readers, writes=False)
        deploy = role("deploy", f"environment:{stack.name}", branch="main", writes=True)
        self.preview_role_arn, self.deploy_role_arn, self.boundary_arn = preview.arn, deploy.arn, limit.arn
        self.register_outputs({"previewRoleArn": preview.arn, "deployRoleArn": deploy.arn})


def github_provider(name: str) -> iam.OpenIdConnectProvider:
    """Let GitHub's workflows ask for roles of the account; there is one provider for all of its repositories."""
    # No thumbprint: AWS checks GitHub's certificate against its own list of authorities.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
    return iam.OpenIdConnectProvider(name, url=f"https://{_ISSUER}", client_id_lists=[_AUDIENCE])


def _permit(name: str, role: iam.Role, grants: list[Grant], opts: pulumi.ResourceOptions, *, writes: bool) -> None:
    # Not in line: there a role has 10,240 characters for everything, and here each policy has 6,144.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    granted = iam.Policy(name, policy=pulumi.Output.json_dumps(document(grants, writes=writes)), opts=opts)
    iam.RolePolicyAttachment(name, role=role.name, policy_arn=granted.arn, opts=opts)


def _trust(provider_arn: str, repository: str, subjects: Sequence[str], branch: str) -> dict[str, Any]:
    # Whole subjects, compared as they are: a pattern would let in repositories and branches of the same beginning.
    # https://docs.github.com/en/actions/reference/security/oidc
    wanted = {"aud": _AUDIENCE, "sub": [f"repo:{repository}:{subject}" for subject in subjects]}
    if branch:  # of which an environment's subject says nothing, and its rules only on some of GitHub's plans
        # https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/
        wanted["ref"] = f"refs/heads/{branch}"
    return policy(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{_ISSUER}:{claim}": value for claim, value in wanted.items()}},
        }
    )
