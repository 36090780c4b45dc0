"""Every type that the local cloud keeps takes what its provider takes: the smallest inputs, and all that it honours."""

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.runtime import rpc

from tools.cloud import provider
from tools.cloud.cloud import CloudError
from tools.cloud.deployment import Deployment
from tools.cloud.resources import KEEPERS
from tools.cloud.resources.keeper import same
from tools.recording.types import TYPES, type_of
from tools.root import ROOT

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
DOCUMENT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}]}
)
Inputs = dict[str, Any]
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"


def code() -> Inputs:
    """An archive of one file, as the wire has it."""
    file = {rpc._special_sig_key: rpc._special_asset_sig, "path": str(ROOT / "tests/cloud/test_resources.py")}
    return dict(provider.hashed({rpc._special_sig_key: rpc._special_archive_sig, "assets": {"f.py": file}}))


def resource_policy(arn: str, action: str) -> str:
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def inputs(deployment: Deployment) -> Mapping[str, tuple[Inputs, Inputs]]:
    """By type the smallest inputs, and what may be given besides."""
    out, tags = deployment.outputs, {"team": "orders"}
    role = deployment.client("iam").get_role(RoleName="ProcessOrder-role")["Role"]["Arn"]
    queue, dead = out["queueArn"], {"deadLetterTargetArn": out["queueArn"] + "-dlq", "maxReceiveCount": 3}
    key = out["keyArn"]
    other_queue = deployment.client("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:6]}")["QueueUrl"]
    other_arn = f"arn:aws:sqs:{deployment.cloud.region}:{deployment.cloud.account}:{other_queue.rsplit('/', 1)[1]}"
    return {
        "aws:cloudwatch/dashboard:Dashboard": ({"dashboardName": "d", "dashboardBody": '{"widgets": []}'}, {}),
        "aws:cloudwatch/logGroup:LogGroup": ({}, {"kmsKeyId": key, "retentionInDays": 7, "tags": tags}),
        "aws:cloudwatch/logMetricFilter:LogMetricFilter": (
            {
                "logGroupName": out["logGroupName"],
                "pattern": "ERROR",
                "metricTransformation": {"name": "n", "namespace": "s", "value": "1"},
            },
            {"metricTransformation": {"name": "n", "namespace": "s", "value": "1", "unit": "Count"}},
        ),
        "aws:cloudwatch/metricAlarm:MetricAlarm": (
            {"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "metricName": "m", "namespace": "n"}
            | {"period": 60, "statistic": "Sum", "threshold": 1},
            {"alarmDescription": "text", "alarmActions": [out["topicArn"]], "okActions": [out["topicArn"]]}
            | {"datapointsToAlarm": 1, "dimensions": {"QueueName": "q"}, "treatMissingData": "notBreaching"}
            | {"tags": tags, "unit": "Count"},
        ),
        "aws:dynamodb/table:Table": (
            {"attributes": [{"name": "id", "type": "S"}], "hashKey": "id", "billingMode": "PAY_PER_REQUEST"},
            {"attributes": [{"name": "id", "type": "S"}, {"name": "at", "type": "N"}], "rangeKey": "at", "tags": tags}
            | {"serverSideEncryption": {"enabled": True, "kmsKeyArn": key}, "pointInTimeRecovery": {"enabled": True}}
            | {"ttl": {"attributeName": "until", "enabled": True}},
        ),
        "aws:iam/role:Role": ({"assumeRolePolicy": TRUST}, {"description": "text", "tags": tags, "path": "/"}),
        "aws:iam/rolePolicy:RolePolicy": ({"role": "ProcessOrder-role", "policy": DOCUMENT}, {}),
        "aws:kms/alias:Alias": ({"targetKeyId": key.rsplit("/", 1)[1]}, {}),
        "aws:kms/key:Key": ({}, {"description": "text", "enableKeyRotation": True, "tags": tags}),
        "aws:lambda/eventSourceMapping:EventSourceMapping": (
            {"eventSourceArn": other_arn, "functionName": out["functionName"]},
            {"batchSize": 5, "maximumBatchingWindowInSeconds": 1, "functionResponseTypes": ["ReportBatchItemFailures"]}
            | {"scalingConfig": {"maximumConcurrency": 2}, "enabled": False, "tags": tags},
        ),
        "aws:lambda/function:Function": (
            {"code": code(), "role": role, "handler": "f.handler", "runtime": "python3.12"},
            {"architectures": ["arm64"], "environment": {"variables": {"A": "b"}}, "kmsKeyArn": key, "memorySize": 256}
            | {"timeout": 7, "tracingConfig": {"mode": "Active"}, "description": "text", "tags": tags},
        ),
        "aws:sns/topic:Topic": ({}, {"displayName": "d", "kmsMasterKeyId": key, "tags": tags}),
        "aws:sns/topicPolicy:TopicPolicy": (
            {"arn": out["topicArn"], "policy": resource_policy(out["topicArn"], "sns:AddPermission")},
            {},
        ),
        "aws:sns/topicSubscription:TopicSubscription": (
            {"topic": out["topicArn"], "protocol": "sqs", "endpoint": other_arn},
            {"filterPolicy": '{"kind": ["audit"]}', "rawMessageDelivery": True},
        ),
        "aws:sqs/queue:Queue": (
            {},
            {"delaySeconds": 1, "kmsMasterKeyId": key, "messageRetentionSeconds": 60, "receiveWaitTimeSeconds": 20}
            | {"redrivePolicy": json.dumps(dead), "tags": tags, "visibilityTimeoutSeconds": 6},
        ),
        "aws:sqs/queuePolicy:QueuePolicy": (
            {"queueUrl": other_queue, "policy": resource_policy(other_arn, "sqs:AddPermission")},
            {},
        ),
        "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": (
            {
                "queueUrl": other_queue,
                "redriveAllowPolicy": json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [queue]}),
            },
            {},
        ),
    }


@contextlib.contextmanager
def polling(deployment: Deployment, queue: str) -> Iterator[None]:
    """ProcessOrder's role may read one more queue for as long as the block runs."""
    iam, role, name = deployment.client("iam"), "ProcessOrder-role", "polling"
    statement = {"Effect": "Allow", "Action": ["sqs:*"], "Resource": queue}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName=name)


@pytest.mark.parametrize("full", [False, True], ids=["smallest", "fullest"])
@pytest.mark.parametrize("token", list(KEEPERS))
def test_a_resource_is_created_read_changed_and_deleted(deployment: Deployment, token: str, full: bool) -> None:
    smallest, more = inputs(deployment)[token]
    given = {**smallest, **(more if full else {})}
    if token == "aws:sns/topicPolicy:TopicPolicy":
        topic = deployment.client("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:6]}")["TopicArn"]
        given = {"arn": topic, "policy": resource_policy(topic, "sns:AddPermission")}
    with polling(deployment, given["eventSourceArn"]) if token == MAPPING else contextlib.nullcontext():
        lives(deployment, token, given)


def lives(deployment: Deployment, token: str, given: Inputs) -> None:
    cloud, name = deployment.cloud, f"r-{uuid.uuid4().hex[:8]}"
    checked = provider.check(token, given, {}, name)
    id_, outputs = provider.create(cloud, token, name, checked, {})
    told, _ = provider.read(cloud, token, name, id_, checked, outputs) or ({}, {})
    assert {key: told[key] for key in given if not same(given[key], told[key])} == {}
    outputs = provider.update(cloud, token, name, id_, checked, checked, outputs, {})
    assert provider.read(cloud, token, name, id_, checked, outputs)
    provider.delete(cloud, token, name, id_, outputs)
    _, after = provider.read(cloud, token, name, id_, checked, outputs) or ({}, {})
    if token == "aws:kms/key:Key":
        assert after["isEnabled"] is False  # scheduled, as on AWS
    else:
        assert not {key for key in after.keys() & {"policy", "redriveAllowPolicy"} if after[key]}
        assert not after or token.endswith("Policy")


def test_a_function_of_which_the_engine_knows_the_old_code_by_its_hash_alone_is_updated(deployment: Deployment) -> None:
    token = "aws:lambda/function:Function"
    new = provider.check(token, inputs(deployment)[token][0], {}, "f")
    id_, outputs = provider.create(deployment.cloud, token, "f", new, {})
    old = {**new, "code": {key: value for key, value in new["code"].items() if key != "assets"}}
    assert not provider.diff(token, old, new, outputs, {}).keys
    for changed in ({"memorySize": 256}, {"code": {**new["code"], "hash": "another"}}):
        assert provider.diff(token, old, {**new, **changed}, outputs, {}).keys == changed.keys()
        provider.update(deployment.cloud, token, "f", id_, old, {**new, **changed}, outputs, {})
    provider.delete(deployment.cloud, token, "f", id_, outputs)


def test_a_mapping_is_refused_as_aws_refuses_it(deployment: Deployment) -> None:
    given, _ = inputs(deployment)[MAPPING]
    with pytest.raises(CloudError, match=r"role must be allowed to poll .*, and lacks sqs:ReceiveMessage, sqs:DeleteM"):
        provider.create(deployment.cloud, MAPPING, "m", provider.check(MAPPING, given, {}, "m"), {})
    again = {**given, "eventSourceArn": deployment.outputs["queueArn"]}
    with pytest.raises(CloudError, match=r"queue and function must have one mapping, and .* is theirs"):
        provider.create(deployment.cloud, MAPPING, "m", provider.check(MAPPING, again, {}, "m"), {})


@pytest.mark.parametrize(
    ("token", "stack", "name", "fits"),
    [
        (
            "aws:sqs/queue:Queue",
            "release-1.2",
            "OrderQueue-dlq-release-1.2-0123abc",
            "at most 57 letters, digits and - _",
        ),
        ("aws:iam/role:Role", "p" * 39, f"ProcessOrder-role-{'p' * 39}-0123abc", "at most 38 letters"),
        ("aws:lambda/function:Function", "a.b", "ProcessOrder-a.b-0123abc", "at most 43 letters, digits and - _"),
        ("aws:cloudwatch/dashboard:Dashboard", "a.b", "orders-a.b", "at most 248"),
    ],
)
def test_a_name_that_aws_refuses_is_told_with_the_stack_names_that_fit(
    token: str, stack: str, name: str, fits: str
) -> None:
    key = type_of(token).named or "dashboardName"
    assert fits in provider.misnamed(token, {key: name}, stack)
    assert not provider.misnamed(token, {key: name.replace(stack, "dev")}, "dev")


def test_every_type_has_its_row_and_its_inputs(deployment: Deployment) -> None:
    assert KEEPERS.keys() == inputs(deployment).keys()
    assert KEEPERS.keys() <= TYPES.keys()


@pytest.mark.parametrize("token", list(KEEPERS))
def test_an_input_of_the_provider_is_honoured_or_named(token: str) -> None:
    """The wire names of everything that the provider's SDK takes for a type."""
    service, kind = token.split(":")[1].split("/")[0], token.split(":")[-1]
    resource = getattr(getattr(aws, {"lambda": "lambda_"}.get(service, service)), kind)
    args = resource.__init__.__globals__[f"{kind}Args"]
    wire = set(pulumi._types.input_type_py_to_pulumi_names(args).values())
    honours = set(KEEPERS[token].honours.split())
    assert honours <= wire
    assert set(provider.not_honoured(token, dict.fromkeys(wire, "set"))) == wire - honours


def test_a_type_that_cannot_be_kept_is_named_with_what_to_do(deployment: Deployment) -> None:
    with pytest.raises(
        CloudError, match=r"must be one the local cloud can keep, got aws:ssm/parameter:Parameter \(p\)"
    ):
        provider.create(deployment.cloud, "aws:ssm/parameter:Parameter", "p", {}, {})


def test_a_boundary_of_the_stacks_own_account_keeps_no_role_from_the_local_cloud(deployment: Deployment) -> None:
    keeper, boundary = KEEPERS["aws:iam/role:Role"](deployment.cloud), "arn:aws:iam::123456789012:policy/boundary"
    given = {"assumeRolePolicy": TRUST, "permissionsBoundary": boundary}
    name, _ = keeper.create(f"r-{uuid.uuid4().hex[:8]}", {"assumeRolePolicy": TRUST})
    keeper.update(name, given, {"assumeRolePolicy": TRUST})
    assert keeper.read(name, given)["permissionsBoundary"] == boundary  # which is no drift
    assert "PermissionsBoundary" not in deployment.client("iam").get_role(RoleName=name)["Role"]
    other, _ = keeper.create(f"r-{uuid.uuid4().hex[:8]}", given)
    assert "PermissionsBoundary" not in deployment.client("iam").get_role(RoleName=other)["Role"]
    for each in (name, other):
        keeper.delete(each, {})
