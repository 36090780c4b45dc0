"""The function's role can do what it must and nothing else: each action is needed, and everything beyond is denied."""

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore
from botocore.exceptions import ClientError

from components.package import process_order_archive
from local.cloud import loopback_client
from local.deploy import Deployment, deployed
from local.provision import CREATORS, archive_bytes
from reliability.load import bodies_in
from reliability.report import Result

ROLE, POLICY = "ProcessOrder-role", "ProcessOrder-permissions"
EMULATED = "dynamodb:BatchExecuteStatement"
"""The one action that only the local cloud asks for; see local/provision.py."""
PROBE = """import os

def handler(event, context):
    return {name: os.environ["AWS_" + name] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")}
"""
DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException")
_AUTHORIZATION = "https://docs.aws.amazon.com/service-authorization/latest/reference"
_ROLE = "https://docs.aws.amazon.com/lambda/latest/dg"
REQUIRED_BY = {
    "sqs:ReceiveMessage": f"{_ROLE}/services-sqs-configure.html",
    "sqs:DeleteMessage": f"{_ROLE}/services-sqs-configure.html",
    "sqs:GetQueueAttributes": f"{_ROLE}/services-sqs-configure.html",
    "kms:Decrypt": f"{_ROLE}/services-sqs-configure.html",
    "dynamodb:PartiQLInsert": "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html",
    "dynamodb:PartiQLUpdate": "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html",
    "logs:CreateLogStream": f"{_ROLE}/monitoring-cloudwatchlogs.html",
    "logs:PutLogEvents": f"{_ROLE}/monitoring-cloudwatchlogs.html",
    "xray:PutTraceSegments": f"{_ROLE}/services-xray.html",
    "xray:PutTelemetryRecords": f"{_ROLE}/services-xray.html",
}
"""By action, the page that says why the role needs it."""


@dataclass
class Role:
    """A role with the function's policy, or with that policy without one action, and clients that act under it."""

    deployment: Deployment
    name: str
    arn: str
    function: str
    """ProcessOrder under this role."""
    credentials: dict[str, str]
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        cloud = self.deployment.cloud
        if service not in self._clients:
            self._clients[service] = loopback_client(
                service,
                endpoint=cloud.endpoint,
                region=cloud.region,
                ca_bundle=str(cloud.ca_bundle),
                access_key_id=self.credentials["ACCESS_KEY_ID"],
                secret_access_key=self.credentials["SECRET_ACCESS_KEY"],
                session_token=self.credentials["SESSION_TOKEN"],
            )
        return self._clients[service]

    def hold(self, *, without: str = "") -> None:
        """Take the function's policy, all of it or without one action."""
        statements = [
            {**statement, "Action": [action for action in statement["Action"] if action != without]}
            for statement in _statements(self.deployment)
        ]
        policy = {"Version": "2012-10-17", "Statement": [statement for statement in statements if statement["Action"]]}
        inputs = {"role": self.name, "policy": json.dumps(policy)}
        CREATORS["aws:iam/rolePolicy:RolePolicy"](self.deployment.cloud, "permissions", inputs)

    def allows(self, action: str, resource: str) -> bool:
        """What IAM's simulator says, where the local cloud cannot make the call itself."""
        answer = self.deployment.client("iam").simulate_principal_policy(
            PolicySourceArn=self.arn, ActionNames=[action], ResourceArns=[resource]
        )
        return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")


def run() -> Result:
    """Prove it on a cloud of its own."""
    with deployed() as deployment:
        return prove(deployment)


def prove(deployment: Deployment) -> Result:
    """Check every action of the role with and without it, then everything the role must not do."""
    actions = policy_actions(deployment)
    problems = [f"{action} has no check that needs it" for action in actions - CHECKS.keys()]
    problems += [f"{action} is not in the role" for action in CHECKS.keys() - actions]
    role = make_role(deployment)
    for action in sorted(actions & CHECKS.keys()):
        role.hold()
        if not CHECKS[action](role):
            problems.append(f"{action} is in the role, but its check fails")
        role.hold(without=action)
        if CHECKS[action](role):
            problems.append(f"without {action} its check still passes: the role does not need it")
    role.hold()
    attempts = list(_attempts(role))
    problems += [f"allowed: {what}" for what, attempt in attempts if not denied(attempt)]
    guards = list(_guards(deployment))
    problems += [f"allowed: {what}" for what, attempt in guards if not denied(attempt)]
    problems += ["another topic can send to the queue"] if _other_topic_delivers(deployment) else []
    beyond = [(action, resource) for action, resource in BEYOND if role.allows(action, resource)]
    problems += [f"the policy allows {action} on {resource}" for action, resource in beyond]
    return Result(
        promise="the function's role holds exactly the actions that it needs, on exactly the resources, and only the "
        "topic, over TLS, has the queue's leave to send to it",
        test="ProcessOrder is created once more, under its own policy and then under that policy without each single "
        "action: the check of that action must pass with it and fail without it. With the function's own credentials, "
        "other calls are tried, on its resources and on others; each must be denied by the local cloud, which enforces "
        "IAM.",
        figures={
            "actions in the role": len(actions),
            "shown to be needed by a call that fails without": len(actions & CHECKS.keys() - SIMULATED),
            "shown to be needed by the policy simulator": len(actions & SIMULATED),
            "other calls tried with the function's credentials, all denied": len(attempts),
            "other actions put to the policy simulator, all denied": len(BEYOND),
            "calls against the queue and topic policies, all denied": len(guards),
        },
        problems=tuple(problems),
        limits=LIMITS,
    )


def policy_actions(deployment: Deployment) -> set[str]:
    """Every action of the function's policy, without the one that only the local cloud asks for."""
    return {action for statement in _statements(deployment) for action in statement["Action"]}


def _statements(deployment: Deployment) -> list[dict[str, Any]]:
    document = deployment.client("iam").get_role_policy(RoleName=ROLE, PolicyName=POLICY)["PolicyDocument"]
    document = document if isinstance(document, dict) else json.loads(document)
    return [statement for statement in document["Statement"] if statement["Action"] != EMULATED]


def make_role(deployment: Deployment) -> Role:
    """ProcessOrder and a probe for its credentials under a role of their own."""
    name = f"Limited-{uuid.uuid4().hex[:6]}"
    iam, functions = deployment.client("iam"), deployment.client("lambda")
    trust = json.dumps(iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"])
    arn = CREATORS["aws:iam/role:Role"](deployment.cloud, name, {"assumeRolePolicy": trust})["arn"]
    probe = io.BytesIO()
    with zipfile.ZipFile(probe, "w") as target:
        target.writestr("probe.py", PROBE)
    for function, handler, code in (
        (name, "process_order.lambda_function.lambda_handler", archive_bytes(process_order_archive())),
        (f"{name}-probe", "probe.handler", probe.getvalue()),
    ):
        functions.create_function(
            FunctionName=function,
            Code={"ZipFile": code},
            Handler=handler,
            Runtime="python3.12",
            Role=arn,
            Timeout=5,
            Environment={"Variables": {"TABLE_NAME": deployment.outputs["tableName"]}},
        )
    credentials = json.load(functions.invoke(FunctionName=f"{name}-probe", Payload=b"{}")["Payload"])
    return Role(deployment=deployment, name=name, arn=arn, function=name, credentials=credentials)


def denied(call: Callable[[], Any]) -> bool:
    """Whether a call is refused for lack of permission, and for nothing else."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in DENIED
    return False


def _permitted(call: Callable[[], Any]) -> bool:
    return not denied(call)


def _queue(role: Role) -> dict[str, Any]:
    return {"QueueUrl": role.deployment.outputs["queueUrl"]}


def _stores(role: Role) -> bool:
    """Whether the function under this role stores a new order."""
    return _invoke(role, {**EXAMPLE, "orderId": f"L-{uuid.uuid4()}"})


def _updates(role: Role) -> bool:
    """Whether the function under this role stores a newer version of an order that exists."""
    order = {**EXAMPLE, "orderId": f"L-{uuid.uuid4()}"}
    item = {name: {"N": "1"} if name == "quantity" else {"S": str(value)} for name, value in order.items()}
    role.deployment.client("dynamodb").put_item(
        TableName=role.deployment.outputs["tableName"], Item={**item, "version": {"S": "0"}, "extra": {"M": {}}}
    )
    return _invoke(role, {**order, "status": "paid"})


EXAMPLE = {"userId": "U1", "itemName": "Laptop", "quantity": 1, "status": "new", "timestamp": "2025-05-03T12:00:00Z"}


def _invoke(role: Role, order: Mapping[str, Any]) -> bool:
    event = {"Records": [{"messageId": "m", "body": json.dumps(order)}]}
    answer = role.deployment.client("lambda").invoke(FunctionName=role.function, Payload=json.dumps(event))
    key = {"orderId": {"S": order["orderId"]}}
    table = role.deployment.client("dynamodb")
    item = table.get_item(TableName=role.deployment.outputs["tableName"], Key=key, ConsistentRead=True).get("Item")
    stored = item is not None and item["status"]["S"] == order["status"]
    return json.load(answer["Payload"]) == {"batchItemFailures": []} and stored


def _decrypts(role: Role) -> bool:
    key = role.deployment.outputs["keyArn"]
    secret = role.deployment.client("kms").encrypt(KeyId=key, Plaintext=b"environment")["CiphertextBlob"]
    return _permitted(lambda: role.client("kms").decrypt(CiphertextBlob=secret, KeyId=key))


def _simulated(action: str) -> Callable[[Role], bool]:
    def check(role: Role) -> bool:
        group = role.deployment.outputs["logGroupName"]
        cloud = role.deployment.cloud
        logs = f"arn:aws:logs:{cloud.region}:{cloud.account}:log-group:{group}:log-stream:2025/05/03/[1]x"
        return role.allows(action, logs if action.startswith("logs:") else "*")

    return check


SIMULATED = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
CHECKS: Mapping[str, Callable[[Role], bool]] = {
    "dynamodb:PartiQLInsert": _stores,
    "dynamodb:PartiQLUpdate": _updates,
    # The calls that Lambda's pollers make with the role: the local cloud's own poller asks nobody.
    "sqs:ReceiveMessage": lambda role: _permitted(
        lambda: role.client("sqs").receive_message(**_queue(role), VisibilityTimeout=0, WaitTimeSeconds=0)
    ),
    "sqs:DeleteMessage": lambda role: _permitted(
        lambda: role.client("sqs").delete_message(**_queue(role), ReceiptHandle="none")
    ),
    "sqs:GetQueueAttributes": lambda role: _permitted(
        lambda: role.client("sqs").get_queue_attributes(**_queue(role), AttributeNames=["QueueArn"])
    ),
    "kms:Decrypt": _decrypts,
    **{action: _simulated(action) for action in SIMULATED},
}
"""By action, what works with it and fails without it."""

LIMITS = (
    "The local cloud runs the event source mapping, writes the function's log and decrypts its environment without "
    f"asking the role; AWS asks for {', '.join(sorted(REQUIRED_BY.keys() - {'dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate'}))}: "
    f"{_ROLE}/services-sqs-configure.html, {_ROLE}/monitoring-cloudwatchlogs.html, {_ROLE}/services-xray.html. The "
    "proof makes the calls of SQS and KMS itself, with the function's credentials, and puts the others to the "
    "policy simulator.",
    "The local cloud authorises a PartiQL batch as a whole, as an action that AWS does not have: with the role's "
    "credentials it would run a SELECT or DELETE, or write another table, which AWS refuses for lack of "
    "dynamodb:PartiQLSelect, PartiQLDelete, or the other table in the policy: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html. These are put to the policy simulator.",
    "An administrator of the account whose own IAM policy allows sqs:SendMessage may still send to the queue: redriving "
    "dead letters takes that permission.",
    "The local cloud does not evaluate key policies: "
    "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html.",
)


def _attempts(role: Role) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Calls that the function never makes, each with its name."""
    outputs, table = role.deployment.outputs, role.deployment.outputs["tableName"]
    key, item = {"orderId": {"S": "O1234"}}, {"orderId": {"S": "intruder"}}
    dynamodb, sqs, iam = role.client("dynamodb"), role.client("sqs"), role.client("iam")
    for name in (table, "Customers"):
        yield f"Scan of {name}", lambda name=name: dynamodb.scan(TableName=name)
        yield f"Query of {name}", lambda name=name: dynamodb.query(
            TableName=name, KeyConditionExpression="orderId = :o", ExpressionAttributeValues={":o": {"S": "O1234"}}
        )
        yield f"GetItem from {name}", lambda name=name: dynamodb.get_item(TableName=name, Key=key)
        yield f"PutItem into {name}", lambda name=name: dynamodb.put_item(TableName=name, Item=item)
        yield f"UpdateItem in {name}", lambda name=name: dynamodb.update_item(TableName=name, Key=key)
        yield f"DeleteItem from {name}", lambda name=name: dynamodb.delete_item(TableName=name, Key=key)
        yield f"BatchWriteItem into {name}", lambda name=name: dynamodb.batch_write_item(
            RequestItems={name: [{"PutRequest": {"Item": item}}]}
        )
        yield f"a PartiQL SELECT from {name}", lambda name=name: dynamodb.execute_statement(
            Statement=f'SELECT * FROM "{name}"'
        )
        yield f"a PartiQL DELETE from {name}", lambda name=name: dynamodb.execute_statement(
            Statement=f"DELETE FROM \"{name}\" WHERE \"orderId\" = 'O1234'"
        )
        yield f"DeleteTable {name}", lambda name=name: dynamodb.delete_table(TableName=name)
    yield "ListTables", dynamodb.list_tables
    for export in ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl"):
        url = outputs[export]
        yield f"SendMessage to {url}", lambda url=url: sqs.send_message(QueueUrl=url, MessageBody="{}")
        yield f"PurgeQueue {url}", lambda url=url: sqs.purge_queue(QueueUrl=url)
        yield f"SetQueueAttributes of {url}", lambda url=url: sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"VisibilityTimeout": "0"}
        )
        if export != "queueUrl":
            yield f"ReceiveMessage from {url}", lambda url=url: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)
            yield f"DeleteMessage from {url}", lambda url=url: sqs.delete_message(QueueUrl=url, ReceiptHandle="none")
    yield "Publish", lambda: role.client("sns").publish(TopicArn=outputs["topicArn"], Message="{}")
    yield "Subscribe", lambda: role.client("sns").subscribe(
        TopicArn=outputs["topicArn"], Protocol="sqs", Endpoint=outputs["queueArn"]
    )
    yield "iam:ListRoles", iam.list_roles
    yield "iam:GetRolePolicy", lambda: iam.get_role_policy(RoleName=ROLE, PolicyName=POLICY)
    yield "iam:PutRolePolicy", lambda: iam.put_role_policy(RoleName=role.name, PolicyName="More", PolicyDocument="{}")
    yield "iam:CreateUser", lambda: iam.create_user(UserName="intruder")
    yield "iam:CreateAccessKey", lambda: iam.create_access_key(UserName="intruder")
    yield "sts:AssumeRole", lambda: role.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="intruder")
    yield "lambda:InvokeFunction", lambda: role.client("lambda").invoke(FunctionName=outputs["functionName"])
    yield "lambda:UpdateFunctionCode", lambda: role.client("lambda").update_function_code(
        FunctionName=outputs["functionName"], ZipFile=b"zip"
    )
    yield "kms:Encrypt", lambda: role.client("kms").encrypt(KeyId=outputs["keyArn"], Plaintext=b"x")
    yield "kms:ScheduleKeyDeletion", lambda: role.client("kms").schedule_key_deletion(KeyId=outputs["keyArn"])
    yield "logs:CreateLogGroup", lambda: role.client("logs").create_log_group(logGroupName="intruder")
    yield "logs:FilterLogEvents", lambda: role.client("logs").filter_log_events(logGroupName=outputs["logGroupName"])
    yield "logs:DeleteLogGroup", lambda: role.client("logs").delete_log_group(logGroupName=outputs["logGroupName"])


_TABLES = "arn:aws:dynamodb:eu-west-1:000000000000:table"
BEYOND = (
    *((f"dynamodb:PartiQL{verb}", f"{_TABLES}/Orders") for verb in ("Select", "Delete")),
    *((f"dynamodb:PartiQL{verb}", f"{_TABLES}/{name}") for verb in ("Insert", "Update") for name in ("Customers", "Orders2")),
    *(("dynamodb:" + verb, f"{_TABLES}/Orders") for verb in ("PutItem", "Scan", "DeleteItem", "DeleteTable", "ExportTableToPointInTime")),
    *((f"sqs:{verb}", "arn:aws:sqs:eu-west-1:000000000000:OrderQueue") for verb in ("SendMessage", "PurgeQueue", "DeleteQueue")),
    *((f"sqs:{verb}", "arn:aws:sqs:eu-west-1:000000000000:Other") for verb in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")),
    ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:000000000000:log-group:Other:log-stream:x"),
    ("kms:Decrypt", "arn:aws:kms:eu-west-1:000000000000:key/other"),
    *((action, "*") for action in ("iam:PassRole", "iam:CreateRole", "sns:Publish", "s3:GetObject", "secretsmanager:GetSecretValue")),
)
"""Actions that the local cloud cannot try one by one, or not at all."""


def _guards(deployment: Deployment) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Calls that the policies of the queues and the topic must deny: to strangers, and without TLS to anyone."""
    queues = [deployment.outputs[n] for n in ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl")]
    administrator = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    nobody = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"}]}
    plain = _over_http(_user_client(deployment, "sqs", administrator))
    topic = _over_http(_user_client(deployment, "sns", administrator))
    stranger = _user_client(deployment, "sqs", nobody)
    anonymous = _user_client(deployment, "sqs", nobody)
    anonymous.meta.events.register("choose-signer.sqs", lambda **_: botocore.UNSIGNED)
    yield "Publish without TLS", lambda: topic.publish(TopicArn=deployment.outputs["topicArn"], Message="{}")
    yield "Publish by a stranger", lambda: _user_client(deployment, "sns", nobody).publish(
        TopicArn=deployment.outputs["topicArn"], Message="{}"
    )
    for url in queues:
        yield f"SendMessage to {url} without TLS", lambda url=url: plain.send_message(QueueUrl=url, MessageBody="{}")
        yield f"ReceiveMessage from {url} without TLS", lambda url=url: plain.receive_message(QueueUrl=url)
        yield f"SendMessage to {url} by a stranger", lambda url=url: stranger.send_message(
            QueueUrl=url, MessageBody="{}"
        )
        yield f"SendMessage to {url} by nobody", lambda url=url: anonymous.send_message(QueueUrl=url, MessageBody="{}")


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


def _other_topic_delivers(deployment: Deployment) -> bool:
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
