"""The function's role needs each of its actions, and nobody but the topic sends to the queues."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from functions.process_order.orders import parse
from tests.fakes.events import EXAMPLE
from tests.ops.cloud import bodies
from tests.proofs import figures
from tests.proofs.role import FunctionRole, denied, role_of
from tools.cloud.deployment import Deployment

QUEUES = ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl")


@pytest.mark.proof
def test_each_action_of_the_role_of_a_new_stack_is_needed(deployment: Deployment) -> None:
    figures.write("role", prove(role_of(deployment)))


def test_each_action_of_the_role_is_needed(deployment: Deployment) -> None:
    prove(role_of(deployment))


def test_neither_the_function_nor_another_topic_sends_to_a_queue(deployment: Deployment) -> None:
    sqs, sns, body = role_of(deployment).client("sqs"), deployment.client("sns"), f"intruder {uuid.uuid4()}"
    for export in QUEUES:
        assert denied(partial(sqs.send_message, QueueUrl=deployment.outputs[export], MessageBody=body)), export
    topic = sns.create_topic(Name=f"Intruder-{uuid.uuid4().hex[:6]}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=deployment.outputs["queueArn"])
    sns.publish(TopicArn=topic, Message=body)
    time.sleep(1)
    assert not [found for export in QUEUES for found in bodies(deployment, export) if body in found]
    sns.delete_topic(TopicArn=topic)


def prove(role: FunctionRole) -> figures.Figures:
    """Make every call that an action is for, with the action and without it."""
    assert role.actions() == CHECKS.keys()
    for action, works in CHECKS.items():
        assert works(role), f"{action} is in the role, but what it is for fails"
        with role.without(action):
            assert not works(role), f"the role does not need {action}"
    return {
        "actions in the role": len(CHECKS),
        "shown to be needed by a call that fails without": len(CHECKS) - len(SIMULATED),
        "shown to be needed by the policy simulator": len(SIMULATED),
    }


def _stores(role: FunctionRole) -> bool:
    """Whether the function under this role stores a new order."""
    return _invoke(role, {**EXAMPLE, "orderId": f"L-{uuid.uuid4()}"})


def _updates(role: FunctionRole) -> bool:
    """Whether the function under this role stores a newer version of an order that exists."""
    order = {**EXAMPLE, "orderId": f"L-{uuid.uuid4()}"}
    item = {**parse(json.dumps(order)).item, "version": {"S": "0"}}
    role.deployment.client("dynamodb").put_item(TableName=role.deployment.outputs["tableName"], Item=item)
    return _invoke(role, {**order, "status": "paid"})


def _invoke(role: FunctionRole, order: Mapping[str, Any]) -> bool:
    event = {"Records": [{"messageId": "m", "body": json.dumps(order)}]}
    outputs = role.deployment.outputs
    answer = role.deployment.client("lambda").invoke(FunctionName=outputs["functionName"], Payload=json.dumps(event))
    key, table = {"orderId": {"S": order["orderId"]}}, role.deployment.client("dynamodb")
    item = table.get_item(TableName=outputs["tableName"], Key=key, ConsistentRead=True).get("Item")
    stored = item is not None and item["status"]["S"] == order["status"]
    return json.load(answer["Payload"]) == {"batchItemFailures": []} and stored


def _decrypts(role: FunctionRole) -> bool:
    key = role.deployment.outputs["keyArn"]
    secret = role.deployment.client("kms").encrypt(KeyId=key, Plaintext=b"environment")["CiphertextBlob"]
    return not denied(lambda: role.client("kms").decrypt(CiphertextBlob=secret, KeyId=key))


def _calls_queue(method: str, **arguments: Any) -> Callable[[FunctionRole], bool]:
    """Make a call of Lambda's pollers, with the role: the local cloud's own poller asks nobody."""

    def check(role: FunctionRole) -> bool:
        call = getattr(role.client("sqs"), method)
        return not denied(lambda: call(QueueUrl=role.deployment.outputs["queueUrl"], **arguments))

    return check


def _simulated(action: str) -> Callable[[FunctionRole], bool]:
    def check(role: FunctionRole) -> bool:
        cloud, group = role.deployment.cloud, role.deployment.outputs["logGroupName"]
        logs = f"arn:aws:logs:{cloud.region}:{cloud.account}:log-group:{group}:log-stream:2025/05/03/[1]x"
        return role.allows(action, logs if action.startswith("logs:") else "*")

    return check


SIMULATED = ("logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords")
CHECKS: Mapping[str, Callable[[FunctionRole], bool]] = {
    "dynamodb:PartiQLInsert": _stores,
    "dynamodb:PartiQLUpdate": _updates,
    "sqs:ReceiveMessage": _calls_queue("receive_message", VisibilityTimeout=0, WaitTimeSeconds=0),
    "sqs:DeleteMessage": _calls_queue("delete_message", ReceiptHandle="none"),
    "sqs:GetQueueAttributes": _calls_queue("get_queue_attributes", AttributeNames=["QueueArn"]),
    "kms:Decrypt": _decrypts,
    **{action: _simulated(action) for action in SIMULATED},
}
"""By action, what works with it and fails without it."""
