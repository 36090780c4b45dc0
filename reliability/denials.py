"""What the function's role, strangers and clients without TLS must not be able to do."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import botocore

from local.cloud import loopback_client
from local.deploy import Deployment
from reliability.load import bodies_in
from reliability.role import POLICY, ROLE, Role


def attempts(role: Role) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Calls that the function never makes, each with its name."""
    outputs, table = role.deployment.outputs, role.deployment.outputs["tableName"]
    key, item = {"orderId": {"S": "O1234"}}, {"orderId": {"S": "intruder"}}
    dynamodb, sqs, iam = role.client("dynamodb"), role.client("sqs"), role.client("iam")
    for name in (table, "Customers"):
        yield f"Scan of {name}", partial(dynamodb.scan, TableName=name)
        yield (
            f"Query of {name}",
            partial(
                dynamodb.query,
                TableName=name,
                KeyConditionExpression="orderId = :o",
                ExpressionAttributeValues={":o": {"S": "O1234"}},
            ),
        )
        yield f"GetItem from {name}", partial(dynamodb.get_item, TableName=name, Key=key)
        yield f"PutItem into {name}", partial(dynamodb.put_item, TableName=name, Item=item)
        yield f"UpdateItem in {name}", partial(dynamodb.update_item, TableName=name, Key=key)
        yield f"DeleteItem from {name}", partial(dynamodb.delete_item, TableName=name, Key=key)
        yield (
            f"BatchWriteItem into {name}",
            partial(dynamodb.batch_write_item, RequestItems={name: [{"PutRequest": {"Item": item}}]}),
        )
        yield (
            f"a PartiQL query of {name}",
            partial(dynamodb.execute_statement, Statement=f'SELECT * FROM "{name}"'),  # noqa: S608
        )
        yield (
            f"a PartiQL deletion in {name}",
            partial(dynamodb.execute_statement, Statement=f'DELETE FROM "{name}" WHERE "orderId" = ?'),  # noqa: S608
        )
        yield f"DeleteTable {name}", partial(dynamodb.delete_table, TableName=name)
    yield "ListTables", dynamodb.list_tables
    for export in ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl"):
        url = outputs[export]
        yield f"SendMessage to {url}", partial(sqs.send_message, QueueUrl=url, MessageBody="{}")
        yield f"PurgeQueue {url}", partial(sqs.purge_queue, QueueUrl=url)
        yield (
            f"SetQueueAttributes of {url}",
            partial(sqs.set_queue_attributes, QueueUrl=url, Attributes={"VisibilityTimeout": "0"}),
        )
        if export != "queueUrl":
            yield f"ReceiveMessage from {url}", partial(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=0)
            yield f"DeleteMessage from {url}", partial(sqs.delete_message, QueueUrl=url, ReceiptHandle="none")
    yield "Publish", partial(role.client("sns").publish, TopicArn=outputs["topicArn"], Message="{}")
    yield (
        "Subscribe",
        partial(
            role.client("sns").subscribe, TopicArn=outputs["topicArn"], Protocol="sqs", Endpoint=outputs["queueArn"]
        ),
    )
    yield "iam:ListRoles", iam.list_roles
    yield "iam:GetRolePolicy", partial(iam.get_role_policy, RoleName=ROLE, PolicyName=POLICY)
    yield "iam:PutRolePolicy", partial(iam.put_role_policy, RoleName=role.name, PolicyName="More", PolicyDocument="{}")
    yield "iam:CreateUser", partial(iam.create_user, UserName="intruder")
    yield "iam:CreateAccessKey", partial(iam.create_access_key, UserName="intruder")
    yield "sts:AssumeRole", partial(role.client("sts").assume_role, RoleArn=role.arn, RoleSessionName="intruder")
    yield "lambda:InvokeFunction", partial(role.client("lambda").invoke, FunctionName=outputs["functionName"])
    yield (
        "lambda:UpdateFunctionCode",
        partial(role.client("lambda").update_function_code, FunctionName=outputs["functionName"], ZipFile=b"zip"),
    )
    yield "kms:Encrypt", partial(role.client("kms").encrypt, KeyId=outputs["keyArn"], Plaintext=b"x")
    yield "kms:ScheduleKeyDeletion", partial(role.client("kms").schedule_key_deletion, KeyId=outputs["keyArn"])
    yield "logs:CreateLogGroup", partial(role.client("logs").create_log_group, logGroupName="intruder")
    yield "logs:FilterLogEvents", partial(role.client("logs").filter_log_events, logGroupName=outputs["logGroupName"])
    yield "logs:DeleteLogGroup", partial(role.client("logs").delete_log_group, logGroupName=outputs["logGroupName"])


_TABLES = "arn:aws:dynamodb:eu-west-1:000000000000:table"
BEYOND = (
    *((f"dynamodb:PartiQL{verb}", f"{_TABLES}/Orders") for verb in ("Select", "Delete")),
    *(
        (f"dynamodb:PartiQL{verb}", f"{_TABLES}/{name}")
        for verb in ("Insert", "Update")
        for name in ("Customers", "Orders2")
    ),
    *(
        ("dynamodb:" + verb, f"{_TABLES}/Orders")
        for verb in ("PutItem", "Scan", "DeleteItem", "DeleteTable", "ExportTableToPointInTime")
    ),
    *(
        (f"sqs:{verb}", "arn:aws:sqs:eu-west-1:000000000000:OrderQueue")
        for verb in ("SendMessage", "PurgeQueue", "DeleteQueue")
    ),
    *(
        (f"sqs:{verb}", "arn:aws:sqs:eu-west-1:000000000000:Other")
        for verb in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    ),
    ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:000000000000:log-group:Other:log-stream:x"),
    ("kms:Decrypt", "arn:aws:kms:eu-west-1:000000000000:key/other"),
    *(
        (action, "*")
        for action in ("iam:PassRole", "iam:CreateRole", "sns:Publish", "s3:GetObject", "secretsmanager:GetSecretValue")
    ),
)
"""Actions that the local cloud cannot try one by one, or not at all."""


def guards(deployment: Deployment) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Calls that the policies of the queues and the topic must deny: to strangers, and without TLS to anyone."""
    queues = [deployment.outputs[n] for n in ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl")]
    administrator = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    nobody = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"}]}
    plain = _over_http(_user_client(deployment, "sqs", administrator))
    topic = _over_http(_user_client(deployment, "sns", administrator))
    stranger = _user_client(deployment, "sqs", nobody)
    anonymous = _user_client(deployment, "sqs", nobody)
    anonymous.meta.events.register("choose-signer.sqs", lambda **_: botocore.UNSIGNED)
    yield "Publish without TLS", partial(topic.publish, TopicArn=deployment.outputs["topicArn"], Message="{}")
    yield (
        "Publish by a stranger",
        partial(_user_client(deployment, "sns", nobody).publish, TopicArn=deployment.outputs["topicArn"], Message="{}"),
    )
    for url in queues:
        yield f"SendMessage to {url} without TLS", partial(plain.send_message, QueueUrl=url, MessageBody="{}")
        yield f"ReceiveMessage from {url} without TLS", partial(plain.receive_message, QueueUrl=url)
        yield (
            f"SendMessage to {url} by a stranger",
            partial(stranger.send_message, QueueUrl=url, MessageBody="{}"),
        )
        yield f"SendMessage to {url} by nobody", partial(anonymous.send_message, QueueUrl=url, MessageBody="{}")


def _user_client(deployment: Deployment, service: str, policy: Mapping[str, Any]) -> Any:
    """A client of a new IAM user with a policy."""
    iam, name = deployment.client("iam"), f"user-{uuid.uuid4().hex[:6]}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return loopback_client(
        service,
        endpoint=deployment.cloud.endpoint,
        region=deployment.cloud.region,
        ca_bundle=str(deployment.cloud.ca_bundle),
        access_key_id=key["AccessKeyId"],
        secret_access_key=key["SecretAccessKey"],
    )


def _over_http(client: Any) -> Any:
    """Let a client's requests say, as a load balancer does, that they came over plain HTTP."""
    service = client.meta.service_model.service_name
    client.meta.events.register(
        f"before-send.{service}", lambda request, **_: request.headers.update({"X-Forwarded-Proto": "http"})
    )
    return client


def other_topic_delivers(deployment: Deployment) -> bool:
    """Whether a message gets from another topic of the account into the queue: the proof's own topic does."""
    sns, body = deployment.client("sns"), f"intruder {uuid.uuid4()}"
    topic = sns.create_topic(Name=f"Intruder-{uuid.uuid4().hex[:6]}")["TopicArn"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=deployment.outputs["queueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    sns.publish(TopicArn=topic, Message=body)
    time.sleep(1)
    found = bodies_in(deployment, "queueUrl")[body] + bodies_in(deployment, "deadLetterQueueUrl")[body]
    sns.delete_topic(TopicArn=topic)
    return bool(found)
