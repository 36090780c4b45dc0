"""The bootstrap trusts the right workflows, keeps the state safe and passes the policy pack."""

import json
from typing import Any

import pulumi
import pytest
import yaml

from tests.unit.bootstrap import (
    BOOTSTRAP,
    LONGEST,
    MANAGED_POLICY,
    PROVIDER,
    STACKS,
    bootstrap,
    boundary,
    deployed,
    document,
    elsewhere,
    statements,
)
from tests.unit.iam import many
from tools.recording.graph import ACCOUNT
from tools.recording.pack import analyze, serve
from tools.root import ROOT

PACK_CONFIG = json.loads((BOOTSTRAP / "policy.json").read_text())
ROLE = "aws:iam/role:Role"
ISSUER = "token.actions.githubusercontent.com"


def trusted(role: str) -> dict[str, Any]:
    """The claims of GitHub's tokens that a role asks for, but for whom they are for."""
    [statement] = document(deployed().one(ROLE, role), "assumeRolePolicy")["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/orders-github"}
    assert statement["Condition"].keys() == {"StringEquals"}
    conditions = statement["Condition"]["StringEquals"]
    assert conditions.pop(f"{ISSUER}:aud") == "sts.amazonaws.com"
    return {key.removeprefix(f"{ISSUER}:"): value for key, value in conditions.items()}


def test_only_githubs_tokens_for_aws_are_trusted() -> None:
    provider = deployed().one("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "orders-github").properties
    assert provider["url"] == f"https://{ISSUER}"
    assert provider["clientIdLists"] == ["sts.amazonaws.com"]


def test_a_stack_is_deployed_from_its_environment_and_read_from_main_and_where_pull_requests_preview_it() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/pull-request.yml").read_text())["jobs"].values()
    previewed = [job["with"]["stack"] for job in jobs if "with" in job]
    assert "dev" in previewed
    for name in ("dev", "staging", "prod"):
        deploys = {"sub": [f"repo:acme/orders:environment:{name}"], "ref": "refs/heads/main"}
        assert trusted(f"orders-{name}-deploy") == deploys  # a branch's own workflow may name the environment, too
        pulls = ["repo:acme/orders:pull_request"] if name in previewed else []
        assert trusted(f"orders-{name}-preview") == {"sub": ["repo:acme/orders:ref:refs/heads/main", *pulls]}


def test_the_state_cannot_be_destroyed_by_accident() -> None:
    assert deployed().one("aws:s3/bucket:Bucket", "orders-state").protect
    assert deployed().one("aws:kms/key:Key", "orders-state-key").protect
    versions = deployed().one("aws:s3/bucketVersioning:BucketVersioning", "orders-state-versions").properties
    assert versions["versioningConfiguration"] == {"status": "Enabled"}


def test_the_policy_pack_finds_nothing_but_what_is_exempt_with_a_reason() -> None:
    nameless = ("preview-keys", "deploy-keys", "boundary", "producers", "operators")
    with serve() as analyzer:
        for graph in (bootstrap(preview=True, stacks=STACKS), deployed()):
            report = analyze(analyzer, graph, PACK_CONFIG)
            assert not report.violations
            used = {each.resource for each in report.of("exempt")}
            assert used == {f"orders-{name}-{part}" for name in ("dev", "staging", "prod") for part in nameless}


def test_every_setting_of_the_bootstraps_policy_configuration_is_needed() -> None:
    for name in PACK_CONFIG["iam-least-privilege"]["allowStarResourceFor"]:
        people = document(deployed().one(MANAGED_POLICY, "orders-dev-operators"))["Statement"]
        used = [*statements("dev-preview"), *statements("dev-deploy"), *boundary(), *people]
        assert any(name in many(each["Action"]) and "*" in str(each["Resource"]) for each in used)


def test_a_repository_may_be_named_with_its_numbers() -> None:
    role = elsewhere().one(ROLE, "orders-dev-deploy")
    assert "repo:acme@12/orders@345:environment:dev" in role.properties["assumeRolePolicy"]


def test_a_provider_that_the_account_has_is_trusted_and_never_owned() -> None:
    assert not elsewhere().all("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    for role in ("orders-dev-preview", "orders-dev-eu-deploy"):
        [statement] = document(elsewhere().one(ROLE, role), "assumeRolePolicy")["Statement"]
        assert statement["Principal"] == {"Federated": PROVIDER}


def test_every_wrong_setting_is_told_at_once_with_its_fix() -> None:
    with pytest.raises(pulumi.RunError) as caught:
        bootstrap(repository="acme/*", stacks="[]")
    text = str(caught.value)
    assert "bootstrap:repository must be OWNER/NAME, got acme/*" in text
    assert "fix: pulumi config set bootstrap:repository OWNER/NAME" in text
    assert "bootstrap:stacks must be a list of stack names, got []" in text
    with pytest.raises(pulumi.RunError) as caught:
        bootstrap(stacks="dev, prod", githubProviderArn="arn:aws:iam::1:oidc-provider/other")
    text = str(caught.value)
    assert "bootstrap:stacks must be a list of stack names, got dev, prod" in text
    assert "bootstrap:githubProviderArn must be the ARN of an OIDC provider for GitHub, got arn:aws:iam::1:" in text
    with pytest.raises(pulumi.RunError, match="must not hold a name that ends in another's after a hyphen, got eu-dev"):
        bootstrap(stacks='["dev", "eu-dev"]')
    with pytest.raises(pulumi.RunError, match="bootstrap:stacks must be a list of stack names"):
        bootstrap(stacks=json.dumps([f"{LONGEST}a"]))
