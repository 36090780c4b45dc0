"""What the function's role, strangers and clients without TLS must not be able to do."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import botocore

from tests.proofs.account import bodies_in
from tests.proofs.role import POLICY, ROLE, Role
from tools.cloud.cloud import loopback_client
from tools.cloud.deployment import Deployment

QUEUES = ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl")

Attempt = tuple[str, str, str, Mapping[str, Any]]
"""What is tried in words, and the service, method and arguments of the boto3 call."""


def attempts(role: Role) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Calls that the function never makes, each with its name."""
    outputs = role.deployment.outputs
    rows = [row for table in (outputs["tableName"], "Customers") for row in _on_table(table)]
    rows += [row for export in QUEUES for row in _on_queue(outputs[export], dead_letters=export != "queueUrl")]
    for name, service, method, arguments in [*rows, *_elsewhere(outputs, role)]:
        yield name, partial(getattr(role.client(service), method), **arguments)


def _on_table(name: str) -> Iterator[Attempt]:
    key, item = {"orderId": {"S": "O1234"}}, {"orderId": {"S": "intruder"}}
    query = {"KeyConditionExpression": "orderId = :o", "ExpressionAttributeValues": {":o": {"S": "O1234"}}}
    select, delete = f'SELECT * FROM "{name}"', f'DELETE FROM "{name}" WHERE "orderId" = ?'
    table = {"TableName": name}
    yield f"Scan of {name}", "dynamodb", "scan", table
    yield f"Query of {name}", "dynamodb", "query", table | query
    yield f"GetItem from {name}", "dynamodb", "get_item", {**table, "Key": key}
    yield f"PutItem into {name}", "dynamodb", "put_item", {**table, "Item": item}
    yield f"UpdateItem in {name}", "dynamodb", "update_item", {**table, "Key": key}
    yield f"DeleteItem from {name}", "dynamodb", "delete_item", {**table, "Key": key}
    puts = {"RequestItems": {name: [{"PutRequest": {"Item": item}}]}}
    yield f"BatchWriteItem into {name}", "dynamodb", "batch_write_item", puts
    yield f"a PartiQL query of {name}", "dynamodb", "execute_statement", {"Statement": select}
    yield f"a PartiQL deletion in {name}", "dynamodb", "execute_statement", {"Statement": delete}
    yield f"DeleteTable {name}", "dynamodb", "delete_table", table


def _on_queue(url: str, *, dead_letters: bool) -> Iterator[Attempt]:
    queue = {"QueueUrl": url}
    yield f"SendMessage to {url}", "sqs", "send_message", {**queue, "MessageBody": "{}"}
    yield f"PurgeQueue {url}", "sqs", "purge_queue", queue
    hidden = {"Attributes": {"VisibilityTimeout": "0"}}
    yield f"SetQueueAttributes of {url}", "sqs", "set_queue_attributes", queue | hidden
    if dead_letters:  # from its own queue the function receives
        yield f"ReceiveMessage from {url}", "sqs", "receive_message", {**queue, "WaitTimeSeconds": 0}
        yield f"DeleteMessage from {url}", "sqs", "delete_message", {**queue, "ReceiptHandle": "none"}


def _elsewhere(outputs: Mapping[str, Any], role: Role) -> Iterator[Attempt]:
    topic, group, key = outputs["topicArn"], {"logGroupName": outputs["logGroupName"]}, {"KeyId": outputs["keyArn"]}
    subscription = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": outputs["queueArn"]}
    function, intruder = {"FunctionName": outputs["functionName"]}, {"UserName": "intruder"}
    more = {"RoleName": role.name, "PolicyName": "More", "PolicyDocument": "{}"}
    yield "ListTables", "dynamodb", "list_tables", {}
    yield "Publish", "sns", "publish", {"TopicArn": topic, "Message": "{}"}
    yield "Subscribe", "sns", "subscribe", subscription
    yield "iam:ListRoles", "iam", "list_roles", {}
    yield "iam:GetRolePolicy", "iam", "get_role_policy", {"RoleName": ROLE, "PolicyName": POLICY}
    yield "iam:PutRolePolicy", "iam", "put_role_policy", more
    yield "iam:CreateUser", "iam", "create_user", intruder
    yield "iam:CreateAccessKey", "iam", "create_access_key", intruder
    yield "sts:AssumeRole", "sts", "assume_role", {"RoleArn": role.arn, "RoleSessionName": "intruder"}
    yield "lambda:InvokeFunction", "lambda", "invoke", function
    yield "lambda:UpdateFunctionCode", "lambda", "update_function_code", {**function, "ZipFile": b"zip"}
    yield "kms:Encrypt", "kms", "encrypt", {**key, "Plaintext": b"x"}
    yield "kms:ScheduleKeyDeletion", "kms", "schedule_key_deletion", key
    yield "logs:CreateLogGroup", "logs", "create_log_group", {"logGroupName": "intruder"}
    yield "logs:FilterLogEvents", "logs", "filter_log_events", group
    yield "logs:DeleteLogGroup", "logs", "delete_log_group", group


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
    queues = [deployment.outputs[export] for export in QUEUES]
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
