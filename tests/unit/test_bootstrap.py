"""The bootstrap trusts the right workflows, keeps the state safe and passes the policy pack."""

import json
from typing import Any

import pulumi
import pytest
import yaml

from tests.unit.bootstrap import BOOTSTRAP, MANAGED_POLICY, bootstrap, boundary, deployed, document, statements
from tests.unit.iam import many
from tools.recording.graph import ACCOUNT
from tools.recording.pack import check
from tools.root import ROOT

PACK_CONFIG = json.loads((BOOTSTRAP / "policy.json").read_text())
ROLE = "aws:iam/role:Role"
ISSUER = "token.actions.githubusercontent.com"


def subjects(role: str) -> Any:
    [statement] = document(deployed().one(ROLE, role), "assumeRolePolicy")["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/orders-github"}
    assert statement["Condition"].keys() == {"StringEquals"}
    conditions = statement["Condition"]["StringEquals"]
    assert conditions[f"{ISSUER}:aud"] == "sts.amazonaws.com"
    return conditions[f"{ISSUER}:sub"]


def test_only_githubs_tokens_for_aws_are_trusted() -> None:
    provider = deployed().one("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "orders-github").properties
    assert provider["url"] == f"https://{ISSUER}"
    assert provider["clientIdLists"] == ["sts.amazonaws.com"]


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_a_stack_is_deployed_from_its_environment_and_read_from_main_and_where_pull_requests_preview_it(
    name: str,
) -> None:
    assert subjects(f"orders-{name}-deploy") == [f"repo:acme/orders:environment:{name}"]
    jobs = yaml.safe_load((ROOT / ".github/workflows/pull-request.yml").read_text())["jobs"].values()
    previewed = [job["with"]["stack"] for job in jobs if "with" in job]
    assert "dev" in previewed
    pulls = ["repo:acme/orders:pull_request"] if name in previewed else []
    assert subjects(f"orders-{name}-preview") == ["repo:acme/orders:ref:refs/heads/main", *pulls]


def test_the_state_is_private_encrypted_versioned_and_kept() -> None:
    graph, bucket = deployed(), "orders-state"
    assert graph.one("aws:s3/bucket:Bucket", bucket).protect
    key = graph.one("aws:kms/key:Key", "orders-state-key")
    assert key.protect
    assert key.properties["enableKeyRotation"] is True

    def part(type_: str, name: str) -> Any:
        found = dict(graph.one(f"aws:s3/{type_[0].lower()}{type_[1:]}:{type_}", f"{bucket}-{name}").properties)
        assert found.pop("bucket") == bucket
        return found

    assert set(part("BucketPublicAccessBlock", "private").values()) == {True}
    assert part("BucketVersioning", "versions") == {"versioningConfiguration": {"status": "Enabled"}}
    [rule] = part("BucketServerSideEncryptionConfiguration", "encryption")["rules"]
    by_key = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key.outputs["arn"]}
    assert rule["applyServerSideEncryptionByDefault"] == by_key
    [old] = part("BucketLifecycleConfiguration", "lifecycle")["rules"]
    assert old["noncurrentVersionExpiration"] == {"noncurrentDays": 90}
    [statement] = json.loads(part("BucketPolicy", "policy")["policy"])["Statement"]
    assert statement == {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_topics_of_this_account_may_write_traces() -> None:
    policy = deployed().one("aws:xray/resourcePolicy:ResourcePolicy", "orders-tracing")
    [statement] = document(policy, "policyDocument")["Statement"]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert "xray:PutTraceSegments" in statement["Action"]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


@pytest.mark.parametrize("preview", [True, False])
def test_the_policy_pack_finds_nothing_but_what_is_exempt_with_a_reason(preview: bool) -> None:
    report = check(bootstrap(preview=preview), config=PACK_CONFIG)
    assert not report.violations
    used = {line.split(": ")[2] for line in report.exempt}
    known_in_preview = ("preview-keys", "deploy-keys", "boundary", "producers", "operators")
    known_in_update = ("preview", "deploy")
    assert used == {
        f"orders-{name}-{part}"
        for name in ("dev", "staging", "prod")
        for part in (*known_in_preview, *(() if preview else known_in_update))
    }


def test_every_setting_of_the_bootstraps_policy_configuration_is_needed() -> None:
    for name in PACK_CONFIG["iam-least-privilege"]["allowStarResourceFor"]:
        people = document(deployed().one(MANAGED_POLICY, "orders-dev-operators"))["Statement"]
        used = [*statements("dev-preview"), *statements("dev-deploy"), *boundary(), *people]
        assert any(name in many(each["Action"]) and "*" in many(each["Resource"]) for each in used)


def test_what_the_workflows_and_stacks_need_to_know_is_exported() -> None:
    assert deployed().exports == {
        "backendUrl": "s3://orders-state?region=eu-west-1",
        "secretsProvider": "awskms://orders-state-key?region=eu-west-1&context_stack=bootstrap/main",
        "stacks": {
            name: {
                "region": "eu-west-1",
                "backendUrl": "s3://orders-state?region=eu-west-1",
                "secretsProvider": f"awskms://orders-state-key?region=eu-west-1&context_stack=orders/{name}",
                "permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/orders-{name}-boundary",
                "previewRole": f"arn:aws:iam::{ACCOUNT}:role/orders-{name}-preview",
                "deployRole": f"arn:aws:iam::{ACCOUNT}:role/orders-{name}-deploy",
            }
            for name in ("dev", "staging", "prod")
        },
        "people": {
            name: {part: f"arn:aws:iam::{ACCOUNT}:policy/orders-{name}-{part}" for part in ("producers", "operators")}
            for name in ("dev", "staging", "prod")
        },
    }


def test_a_repository_may_be_named_with_its_numbers() -> None:
    role = bootstrap(repository="acme@12/orders@345").one(ROLE, "orders-dev-deploy")
    assert "repo:acme@12/orders@345:environment:dev" in role.properties["assumeRolePolicy"]


def test_a_provider_that_the_account_has_is_trusted_and_never_owned() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
    graph = bootstrap(githubProviderArn=arn)
    assert not graph.all("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    for role in ("orders-dev-preview", "orders-prod-deploy"):
        [statement] = document(graph.one(ROLE, role), "assumeRolePolicy")["Statement"]
        assert statement["Principal"] == {"Federated": arn}


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
