"""The function's role can do what it must and nothing else: each action is needed, and everything beyond is denied."""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from functions.process_order.orders import parse
from tests.fakes.events import EXAMPLE
from tests.proofs.denials import BEYOND, attempts, guards, other_topic_delivers
from tests.proofs.report import Result
from tests.proofs.role import Role, denied, make_role, policy_actions
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment

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
    tried, guarded = list(attempts(role)), list(guards(deployment))
    problems += [f"allowed: {what}" for what, attempt in tried + guarded if not denied(attempt)]
    problems += ["another topic can send to the queue"] if other_topic_delivers(deployment) else []
    beyond = [(action, resource) for action, resource in BEYOND if role.allows(action, resource)]
    problems += [f"the policy allows {action} on {resource}" for action, resource in beyond]
    return Result(
        promise="the function's role holds exactly the actions that it needs, on exactly the resources, and only the "
        "topic, over TLS, may send to the queue",
        test="ProcessOrder is created once more, under its own policy and then under that policy without each single "
        "action: the check of that action must pass with it and fail without it. With the function's own credentials, "
        "other calls are tried, on its resources and on others; each must be denied by the local cloud, which enforces "
        "IAM.",
        figures={
            "actions in the role": len(actions),
            "shown to be needed by a call that fails without": len(actions & CHECKS.keys() - SIMULATED),
            "shown to be needed by the policy simulator": len(actions & SIMULATED),
            "other calls tried with the function's credentials, all denied": len(tried),
            "other actions put to the policy simulator, all denied": len(BEYOND),
            "calls against the queue and topic policies, all denied": len(guarded),
        },
        problems=tuple(problems),
        limits=LIMITS,
    )


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
    item = {**parse(json.dumps(order)).item, "version": {"S": "0"}}
    role.deployment.client("dynamodb").put_item(TableName=role.deployment.outputs["tableName"], Item=item)
    return _invoke(role, {**order, "status": "paid"})


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

ASKED_BY_AWS = ", ".join(sorted(set(REQUIRED_BY.values())))
LIMITS = (
    "The local cloud runs the event source mapping, writes the function's log and decrypts its environment without "
    f"asking the role; AWS asks it ({ASKED_BY_AWS}). The proof makes the calls of SQS and KMS itself, with the "
    "function's credentials, and puts those of the log and of X-Ray to the policy simulator.",
    "The local cloud authorises a PartiQL batch as a whole, as an action that AWS does not have: with the role's "
    "credentials it would run a SELECT or DELETE, or write another table, which AWS refuses for lack of PartiQLSelect, "
    f"PartiQLDelete, or the other table in the policy ({REQUIRED_BY['dynamodb:PartiQLInsert']}). These are put to the "
    "policy simulator.",
    "An administrator of the account whose own IAM policy allows sqs:SendMessage may still send to the queue: "
    "redriving dead letters takes that permission.",
    "The local cloud does not evaluate key policies (https://docs.aws.amazon.com/kms/latest/developerguide/"
    "key-policies.html).",
)
