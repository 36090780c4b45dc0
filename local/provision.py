"""Creates on the local cloud what the Pulumi program registers, one small function per resource type."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockResourceArgs

from local.cloud import Cloud, CloudError
from local.provision_cloudwatch import CREATORS as CLOUDWATCH
from recording.graph import Answer

Inputs = Mapping[str, Any]
Creator = Callable[[Cloud, str, Inputs], dict[str, Any]]
"""Creates one resource under a physical name and returns its computed outputs, its `id` among them."""


def provisioner(cloud: Cloud) -> Answer:
    """Answer the program's registrations by creating each resource through boto3.

    A physical name is the resource's own name, unless the program gives one.
    Raises CloudError that names the type, if it is not one of `CREATORS`.
    """

    def answer(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        creator = CREATORS.get(args.typ)
        if creator is None:
            raise CloudError(
                f"resource type must be one the local cloud can create, got {args.typ} ({args.name}): "
                "add a function for it to CREATORS in local/provision.py"
            )
        computed = creator(cloud, args.inputs.get("name", args.name), args.inputs)
        return str(computed.pop("id")), {**args.inputs, **computed}

    return answer


def _key(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    kms = cloud.client("kms")
    key = kms.create_key(Policy=inputs["policy"], Description=inputs.get("description", name))["KeyMetadata"]
    if inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=key["KeyId"])
    return {"id": key["KeyId"], "keyId": key["KeyId"], "arn": key["Arn"]}


def _alias(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    cloud.client("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=inputs["targetKeyId"])
    return {"id": f"alias/{name}"}


def _topic(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    attributes = _renamed(inputs, {"kmsMasterKeyId": "KmsMasterKeyId", "tracingConfig": "TracingConfig"})
    arn = cloud.client("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"]
    return {"id": arn, "arn": arn, "name": name}


def _topic_policy(cloud: Cloud, _name: str, inputs: Inputs) -> dict[str, Any]:
    cloud.client("sns").set_topic_attributes(
        TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
    )
    return {"id": inputs["arn"]}


def _subscription(cloud: Cloud, _name: str, inputs: Inputs) -> dict[str, Any]:
    attributes = _renamed(
        inputs,
        {
            "rawMessageDelivery": "RawMessageDelivery",
            "redrivePolicy": "RedrivePolicy",
            "filterPolicy": "FilterPolicy",
            "filterPolicyScope": "FilterPolicyScope",
        },
    )
    arn = cloud.client("sns").subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return {"id": arn, "arn": arn}


def _queue(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    attributes = _renamed(
        inputs,
        {
            "visibilityTimeoutSeconds": "VisibilityTimeout",
            "messageRetentionSeconds": "MessageRetentionPeriod",
            "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
            "kmsMasterKeyId": "KmsMasterKeyId",
            "redrivePolicy": "RedrivePolicy",
        },
    )
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return {"id": url, "url": url, "arn": arn, "name": name}


def _queue_attribute(source: str, target: str) -> Creator:
    """A resource that is one attribute of a queue that exists."""

    def create(cloud: Cloud, _name: str, inputs: Inputs) -> dict[str, Any]:
        cloud.client("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes={target: inputs[source]})
        return {"id": inputs["queueUrl"]}

    return create


def _table(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    dynamodb = cloud.client("dynamodb")
    table = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": a["name"], "AttributeType": a["type"]} for a in inputs["attributes"]],
        BillingMode=inputs["billingMode"],
        SSESpecification={
            "Enabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": inputs["serverSideEncryption"]["kmsKeyArn"],
        },
        DeletionProtectionEnabled=inputs.get("deletionProtectionEnabled", False),
    )["TableDescription"]
    dynamodb.update_continuous_backups(
        TableName=name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": inputs["pointInTimeRecovery"]["enabled"]},
    )
    return {"id": name, "name": name, "arn": table["TableArn"]}


def _role(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    role = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=inputs["assumeRolePolicy"])["Role"]
    return {"id": name, "name": name, "arn": role["Arn"]}


def _role_policy(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    cloud.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=name, PolicyDocument=_with_batch_action(inputs["policy"])
    )
    return {"id": f"{inputs['role']}:{name}"}


def _with_batch_action(policy: str) -> str:
    """Add the action that MiniStack asks for a PartiQL batch, where the policy allows both kinds of statement in it.

    MiniStack authorises the whole batch as `dynamodb:BatchExecuteStatement` on `*`, an action that AWS does not have:
    AWS asks for PartiQLInsert or PartiQLUpdate on the table, per statement.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
    """
    document = json.loads(policy)
    actions = {action for statement in document["Statement"] for action in statement["Action"]}
    if {"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"} <= actions:
        document["Statement"].append({"Effect": "Allow", "Action": "dynamodb:BatchExecuteStatement", "Resource": "*"})
    return json.dumps(document)


def _function(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    logging = inputs["loggingConfig"]
    # Lambda passes the log level to the function in this variable; MiniStack does not.
    # https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
    variables = {**inputs["environment"]["variables"], "AWS_LAMBDA_LOG_LEVEL": logging["applicationLogLevel"]}
    function = cloud.client("lambda").create_function(
        FunctionName=name,
        Code={"ZipFile": archive_bytes(inputs["code"])},
        Handler=inputs["handler"],
        Runtime=inputs["runtime"],
        Architectures=inputs["architectures"],
        Role=inputs["role"],
        Timeout=int(inputs["timeout"]),
        MemorySize=int(inputs["memorySize"]),
        Environment={"Variables": variables},
        KMSKeyArn=inputs["kmsKeyArn"],
        LoggingConfig={
            "LogFormat": logging["logFormat"],
            "LogGroup": logging["logGroup"],
            "ApplicationLogLevel": logging["applicationLogLevel"],
            "SystemLogLevel": logging["systemLogLevel"],
        },
        TracingConfig={"Mode": inputs["tracingConfig"]["mode"]},
    )
    return {"id": name, "name": name, "arn": function["FunctionArn"]}


def archive_bytes(archive: pulumi.AssetArchive) -> bytes:
    """Zip an archive of files; without times, modes or order of this machine, the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for path, asset in sorted(archive.assets.items()):
            assert isinstance(asset, pulumi.FileAsset)
            entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, Path(asset.path).read_bytes())
    return buffer.getvalue()


def _mapping(cloud: Cloud, _name: str, inputs: Inputs) -> dict[str, Any]:
    mapping = cloud.client("lambda").create_event_source_mapping(
        EventSourceArn=inputs["eventSourceArn"],
        FunctionName=inputs["functionName"],
        BatchSize=int(inputs["batchSize"]),
        MaximumBatchingWindowInSeconds=int(inputs["maximumBatchingWindowInSeconds"]),
        FunctionResponseTypes=inputs.get("functionResponseTypes", []),
        ScalingConfig={"MaximumConcurrency": int(inputs["scalingConfig"]["maximumConcurrency"])},
    )
    return {"id": mapping["UUID"]}


def _renamed(inputs: Inputs, names: Mapping[str, str]) -> dict[str, str]:
    """The inputs that are set, under the API's names and as the texts it wants."""
    texts = {True: "true", False: "false"}
    values = {target: inputs[source] for source, target in names.items() if inputs.get(source) is not None}
    return {
        target: texts[value] if isinstance(value, bool) else str(int(value) if isinstance(value, float) else value)
        for target, value in values.items()
    }


CREATORS: dict[str, Creator] = {
    **CLOUDWATCH,
    "aws:dynamodb/table:Table": _table,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:kms/alias:Alias": _alias,
    "aws:kms/key:Key": _key,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _mapping,
    "aws:lambda/function:Function": _function,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_attribute("policy", "Policy"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _queue_attribute("redriveAllowPolicy", "RedriveAllowPolicy"),
}
"""What the local cloud can create, by Pulumi type."""
