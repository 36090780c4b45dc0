"""The graph of every stack has each property that the pipeline's promises rest on."""

import functools
import json
from typing import Any

import pulumi
import pytest
from framework.stack import FUNCTION, KEY, MAPPING, QUEUE, ROLE_POLICY, TABLE, TOPIC

from components.account import Account
from components.queue import Queue, QueueArgs
from tests.defaults import record_defaults
from tools.recording.graph import ACCOUNT, Graph, record
from tools.root import ROOT

STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
ACCOUNT_ROOT = f"arn:aws:iam::{ACCOUNT}:root"

recorded = functools.cache(record_defaults)  # a graph is immutable, and one recording takes half a second


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest) -> Graph:
    return recorded(stack=request.param)


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:eu-west-1:{ACCOUNT}:{name}"


def inputs(graph: Graph, type_: str, name: str) -> Any:
    return graph.one(type_, name).properties


def statements(document: str) -> dict[str, dict[str, Any]]:
    """A policy document's statements by Sid; the document has a version and no two statements share a Sid."""
    parsed = json.loads(document)
    assert parsed["Version"] == "2012-10-17"
    by_sid = {statement["Sid"]: statement for statement in parsed["Statement"]}
    assert len(by_sid) == len(parsed["Statement"])
    return by_sid


def tls_only(resource: str, action: str) -> dict[str, Any]:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def topic_delivers(queue: str) -> dict[str, Any]:
    return {
        "Sid": "TopicDelivers",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": arn("sns", "OrderTopic")}},
    }


def test_the_key_rotates_and_admits_only_this_account_and_its_services(graph: Graph) -> None:
    key = inputs(graph, KEY, "OrderKey")
    assert key["enableKeyRotation"] is True
    assert key["deletionWindowInDays"] == 30
    own_account = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    use = ["kms:GenerateDataKey*", "kms:Decrypt"]
    assert statements(key["policy"]) == {
        "AccountAdministersKey": {
            "Sid": "AccountAdministersKey",
            "Effect": "Allow",
            "Principal": {"AWS": ACCOUNT_ROOT},
            "Action": "kms:*",
            "Resource": "*",
        },
        "TopicDelivers": {
            "Sid": "TopicDelivers",
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": use,
            "Resource": "*",
            "Condition": own_account,
        },
        "AlarmsNotify": {
            "Sid": "AlarmsNotify",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": use,
            "Resource": "*",
            "Condition": own_account,
        },
        "LogGroupsEncrypt": {
            "Sid": "LogGroupsEncrypt",
            "Effect": "Allow",
            "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
            "Action": [*use, "kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:*")}},
        },
    }


def test_every_resource_that_holds_orders_is_encrypted_with_the_key(graph: Graph) -> None:
    key = arn("kms", "key/OrderKey")
    queues = graph.all(QUEUE)
    assert {"OrderQueue", "OrderQueue-dlq", "OrderTopic-dlq"} <= set(queues)
    assert {queue.properties["kmsMasterKeyId"] for queue in queues.values()} == {key}
    assert {topic.properties["kmsMasterKeyId"] for topic in graph.all(TOPIC).values()} == {key}
    assert inputs(graph, TABLE, "Orders")["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": key}
    assert inputs(graph, FUNCTION, "ProcessOrder")["kmsKeyArn"] == key
    assert inputs(graph, "aws:cloudwatch/logGroup:LogGroup", "ProcessOrder-logs")["kmsKeyId"] == key


def test_the_topic_is_traced_and_takes_orders_only_from_the_account_over_tls(graph: Graph) -> None:
    topic = arn("sns", "OrderTopic")
    assert inputs(graph, TOPIC, "OrderTopic")["tracingConfig"] == "Active"
    policy = inputs(graph, "aws:sns/topicPolicy:TopicPolicy", "OrderTopic-policy")
    assert policy["arn"] == topic
    assert statements(policy["policy"]) == {
        "AccountPublishes": {
            "Sid": "AccountPublishes",
            "Effect": "Allow",
            "Principal": {"AWS": ACCOUNT_ROOT},
            "Action": "sns:Publish",
            "Resource": topic,
        },
        "TlsOnly": tls_only(topic, "sns:Publish"),
    }


@pytest.mark.parametrize(
    ("policy", "queue", "filled_by_topic"),
    [
        ("OrderQueue-policy", "OrderQueue", True),
        ("OrderTopic-dlq-policy", "OrderTopic-dlq", True),
        ("OrderQueue-dlq-policy", "OrderQueue-dlq", False),
    ],
)
def test_a_queue_takes_messages_from_the_topic_only_and_requests_over_tls_only(
    graph: Graph, policy: str, queue: str, filled_by_topic: bool
) -> None:
    properties = inputs(graph, "aws:sqs/queuePolicy:QueuePolicy", policy)
    assert properties["queueUrl"] == graph.one(QUEUE, queue).outputs["url"]
    expected = {"TlsOnly": tls_only(arn("sqs", queue), "sqs:*")}
    if filled_by_topic:
        expected["TopicDelivers"] = topic_delivers(arn("sqs", queue))
    assert statements(properties["policy"]) == expected


def test_the_visibility_timeout_is_six_function_timeouts_and_the_batching_window(graph: Graph) -> None:
    timeout = inputs(graph, FUNCTION, "ProcessOrder")["timeout"]
    window = inputs(graph, MAPPING, "ProcessOrder-mapping")["maximumBatchingWindowInSeconds"]
    assert inputs(graph, QUEUE, "OrderQueue")["visibilityTimeoutSeconds"] == 6 * timeout + window


def test_a_message_moves_to_the_dead_letter_queue_after_three_receives(graph: Graph) -> None:
    redrive = json.loads(inputs(graph, QUEUE, "OrderQueue")["redrivePolicy"])
    assert redrive == {"deadLetterTargetArn": arn("sqs", "OrderQueue-dlq"), "maxReceiveCount": 3}
    assert type(redrive["maxReceiveCount"]) is int


def test_a_consumer_waits_for_messages_as_long_as_sqs_lets_it(graph: Graph) -> None:
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
    assert inputs(graph, QUEUE, "OrderQueue")["receiveWaitTimeSeconds"] == 20


def test_a_dead_letter_queue_keeps_messages_longer_than_its_source_and_serves_only_it(graph: Graph) -> None:
    fourteen_days = 1_209_600
    assert inputs(graph, QUEUE, "OrderQueue")["messageRetentionSeconds"] == 345_600
    for name in ("OrderQueue-dlq", "OrderTopic-dlq"):
        dead_letters = inputs(graph, QUEUE, name)
        assert dead_letters["messageRetentionSeconds"] == fourteen_days
        assert "redrivePolicy" not in dead_letters
    allow = inputs(graph, "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "OrderQueue-redrive-allow")
    assert allow["queueUrl"] == graph.one(QUEUE, "OrderQueue-dlq").outputs["url"]
    assert json.loads(allow["redriveAllowPolicy"]) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [arn("sqs", "OrderQueue")],
    }


def test_the_subscription_delivers_raw_messages_and_has_a_dead_letter_queue_of_its_own(graph: Graph) -> None:
    subscription = graph.one("aws:sns/topicSubscription:TopicSubscription", "OrderQueue-subscription")
    properties = dict(subscription.properties)
    assert json.loads(properties.pop("redrivePolicy")) == {"deadLetterTargetArn": arn("sqs", "OrderTopic-dlq")}
    assert properties == {
        "topic": arn("sns", "OrderTopic"),
        "protocol": "sqs",
        "endpoint": arn("sqs", "OrderQueue"),
        "rawMessageDelivery": True,
    }
    # Subscribed before the policy is there, the first messages would be refused.
    assert graph.one("aws:sqs/queuePolicy:QueuePolicy", "OrderQueue-policy").urn in subscription.dependencies


def test_the_table_is_keyed_by_order_billed_by_request_and_restorable(graph: Graph) -> None:
    table = inputs(graph, TABLE, "Orders")
    assert table["hashKey"] == "orderId"
    assert table["attributes"] == [{"name": "orderId", "type": "S"}]
    assert table["billingMode"] == "PAY_PER_REQUEST"
    assert table["pointInTimeRecovery"] == {"enabled": True}


@pytest.mark.parametrize("protected", [True, False])
def test_a_stack_that_protects_its_data_keeps_what_holds_orders_and_what_delivers_them(protected: bool) -> None:
    """And nothing else: what these depend on is deleted after them, so never."""
    graph = record_defaults(config={"orders:protectData": str(protected).lower()})
    orders = {
        graph.one(KEY, "OrderKey").urn,
        graph.one(TABLE, "Orders").urn,
        *(q.urn for q in graph.all(QUEUE).values()),
        graph.one("aws:sns/topic:Topic", "OrderTopic").urn,
        graph.one("aws:sns/topicSubscription:TopicSubscription", "OrderQueue-subscription").urn,
        graph.one("aws:lambda/eventSourceMapping:EventSourceMapping", "ProcessOrder-mapping").urn,
    }
    assert {r.urn for r in graph.resources if r.protect} == (orders if protected else set())
    assert graph.one(TABLE, "Orders").properties["deletionProtectionEnabled"] is protected


def test_the_function_runs_as_configured_and_logs_json_into_its_own_group(graph: Graph) -> None:
    function = graph.one(FUNCTION, "ProcessOrder")
    properties = function.properties
    assert properties["handler"] == "process_order.lambda_function.lambda_handler"
    assert properties["runtime"] == "python3.12"
    assert properties["architectures"] == ["arm64"]
    assert properties["environment"] == {"variables": {"TABLE_NAME": "Orders"}}
    assert properties["tracingConfig"] == {"mode": "Active"}
    assert properties["loggingConfig"] == {
        "logFormat": "JSON",
        "logGroup": "ProcessOrder-logs",
        "applicationLogLevel": "INFO",
        "systemLogLevel": "INFO",
    }
    assert graph.one("aws:cloudwatch/logGroup:LogGroup", "ProcessOrder-logs").urn in function.dependencies
    assert "reservedConcurrentExecutions" not in properties
    assert "deadLetterConfig" not in properties


def test_the_mapping_reports_single_failures_and_waits_for_the_permissions(graph: Graph) -> None:
    mapping = graph.one(MAPPING, "ProcessOrder-mapping")
    assert mapping.properties["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping.properties["eventSourceArn"] == arn("sqs", "OrderQueue")
    assert mapping.properties["functionName"] == "ProcessOrder"
    assert mapping.properties["scalingConfig"]["maximumConcurrency"] >= 2
    assert graph.one(ROLE_POLICY, "ProcessOrder-permissions").urn in mapping.dependencies


def test_the_role_may_do_exactly_what_the_function_needs(graph: Graph) -> None:
    trust = json.loads(inputs(graph, "aws:iam/role:Role", "ProcessOrder-role")["assumeRolePolicy"])
    assert trust == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    policies = graph.all(ROLE_POLICY).values()
    assert {policy.properties["role"] for policy in policies} == {"ProcessOrder-role"}
    allowed = {
        action: statement["Resource"]
        for policy in policies
        for statement in statements(policy.properties["policy"]).values()
        for action in statement["Action"]
    }
    assert allowed == {
        "sqs:ReceiveMessage": arn("sqs", "OrderQueue"),
        "sqs:DeleteMessage": arn("sqs", "OrderQueue"),
        "sqs:GetQueueAttributes": arn("sqs", "OrderQueue"),
        "dynamodb:PartiQLInsert": arn("dynamodb", "table/Orders"),
        "dynamodb:PartiQLUpdate": arn("dynamodb", "table/Orders"),
        "kms:Decrypt": arn("kms", "key/OrderKey"),
        "logs:CreateLogStream": arn("logs", "log-group:ProcessOrder-logs:*"),
        "logs:PutLogEvents": arn("logs", "log-group:ProcessOrder-logs:*"),
        # These two know no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        "xray:PutTraceSegments": "*",
        "xray:PutTelemetryRecords": "*",
    }


def test_the_functions_role_is_bounded_where_the_stack_says_so() -> None:
    role = "aws:iam/role:Role"
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/orders-boundary"
    bounded = record_defaults(config={"orders:permissionsBoundary": boundary})
    assert inputs(bounded, role, "ProcessOrder-role")["permissionsBoundary"] == boundary
    assert "permissionsBoundary" not in inputs(recorded(), role, "ProcessOrder-role")


def test_another_consumer_is_one_more_queue_with_its_own_filter() -> None:
    def program() -> None:
        Queue(
            "Analytics",
            QueueArgs(
                account=Account.current(),
                topic_arn=arn("sns", "OrderTopic"),
                key_arn=arn("kms", "key/OrderKey"),
                visibility_timeout=60,
                max_receive_count=5,
                filter_policy={"country": ["DE", "AT"]},
            ),
        )

    graph = record(program=program)
    assert set(graph.all(QUEUE)) == {"Analytics", "Analytics-dlq"}
    assert not any(resource.protect for resource in graph.resources)
    subscription = inputs(graph, "aws:sns/topicSubscription:TopicSubscription", "Analytics-subscription")
    assert json.loads(subscription["filterPolicy"]) == {"country": ["DE", "AT"]}
    assert subscription["endpoint"] == arn("sqs", "Analytics")
    assert json.loads(subscription["redrivePolicy"]) == {"deadLetterTargetArn": arn("sqs", "Analytics-dlq")}
    dead_letters = inputs(graph, "aws:sqs/queuePolicy:QueuePolicy", "Analytics-dlq-policy")["policy"]
    assert statements(dead_letters)["TopicDelivers"] == topic_delivers(arn("sqs", "Analytics-dlq"))
    redrive = json.loads(inputs(graph, QUEUE, "Analytics")["redrivePolicy"])
    assert redrive == {"deadLetterTargetArn": arn("sqs", "Analytics-dlq"), "maxReceiveCount": 5}


def test_the_first_preview_shows_every_policy_but_the_grant_of_the_key() -> None:
    """Names are known in preview, and ARNs are made of them; what they name is still created first."""
    graph, update = recorded(stack="dev", preview=True), recorded(stack="dev")
    unknown = {
        (resource.name, key)
        for resource in graph.resources
        for key, value in resource.properties.items()
        if key in ("policy", "redrivePolicy", "redriveAllowPolicy", "assumeRolePolicy", "dashboardBody")
        and value == pulumi.runtime.rpc.UNKNOWN
    }
    assert unknown == {("ProcessOrder-decryption", "policy")}
    for resource in update.resources:
        before = graph.one(resource.type, resource.name)
        assert {key: set(urns) for key, urns in before.property_dependencies.items()} == {
            key: set(urns) for key, urns in resource.property_dependencies.items()
        }
    queue = graph.one(QUEUE, "OrderQueue")
    assert queue.property_dependencies["redrivePolicy"] == (graph.one(QUEUE, "OrderQueue-dlq").urn,)
    assert len(graph.resources) == len(recorded(stack="dev").resources)


def test_a_failed_assertion_inside_a_program_fails_its_test() -> None:
    def program() -> None:
        def check(value: int) -> None:
            assert value == 2, "the canary sings"

        pulumi.Output.from_input(1).apply(check)

    with pytest.raises(AssertionError, match="the canary sings"):
        record(program=program)


def test_one_recording_leaves_nothing_behind_for_the_next() -> None:
    first, second = record(stack="local"), record(stack="local")
    assert sorted(resource.urn for resource in second.resources) == sorted(resource.urn for resource in first.resources)
    assert second.exports == first.exports
