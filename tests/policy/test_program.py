"""The real program before the real pack process: sound in every stack, and each damage to it trips its rule."""

import functools
import io
import json
from typing import Any

import pytest
from framework.stack import (
    ALARM,
    FUNCTION,
    KEY,
    LOG_GROUP,
    MAPPING,
    QUEUE,
    QUEUE_POLICY,
    REDRIVE_ALLOW_POLICY,
    ROLE,
    ROLE_POLICY,
    SUBSCRIPTION,
    TABLE,
    TOPIC,
    TOPIC_POLICY,
)
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub
from pulumi_policy import EnforcementLevel
from rules import RULES

from recording.graph import Graph, record
from recording.pack import analyze, check, print_report
from tests.policy.mutation import Mutation, both, mutated, open_permission, removed, rewritten

MODES = pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
KINESIS = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
FOREIGN = {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:999999999999:elsewhere", "maxReceiveCount": 3}
EVERYONE = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
ONLY_TLS = {**EVERYONE, "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
ANYTHING = {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:eu-west-1:123456789012:OrderQueue"}
DECRYPTS = {**ANYTHING, "Action": "kms:Decrypt", "Resource": "arn:aws:kms:eu-west-1:123456789012:key/OrderKey"}
SUBSCRIPTION_DLQ_ALARM = "OrderAlarms-subscription-dead-letter-queue-not-empty"


def policy_of(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def unconditional(document: Any) -> Any:
    """Drop the conditions of whatever a document allows."""
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow":
            statement.pop("Condition", None)
    return document


def silent_about(sid: str) -> Any:
    """Drop one statement of a document."""
    return lambda document: {
        **document,
        "Statement": [each for each in document["Statement"] if each.get("Sid") != sid],
    }


# Mutation and the rules that it must trip, in preview and update alike: no more and no fewer.
MUTATIONS: dict[str, tuple[Mutation, set[str]]] = {
    "the queue has no dead-letter queue": (
        mutated(QUEUE, "OrderQueue", redrivePolicy=None),
        {"sqs-queue-has-dlq", "esm-source-queue-has-dlq"},
    ),
    "nothing fails to the subscription's dead-letter queue any more": (
        removed((SUBSCRIPTION, "OrderQueue-subscription"), (ALARM, SUBSCRIPTION_DLQ_ALARM)),
        {"sqs-queue-has-dlq"},
    ),
    "the redrive policy names no queue": (
        mutated(QUEUE, "OrderQueue", redrivePolicy='{"maxReceiveCount": 3}'),
        {"sqs-redrive-policy-valid"},
    ),
    "the queue redrives to another account": (
        mutated(QUEUE, "OrderQueue", redrivePolicy=json.dumps(FOREIGN)),
        {"sqs-dlq-in-stack-and-compatible"},
    ),
    "the dead-letter queue is FIFO": (
        mutated(QUEUE, "OrderQueue-dlq", fifoQueue=True),
        {"sqs-dlq-in-stack-and-compatible"},
    ),
    "the dead-letter queue keeps messages for the default of 4 days": (
        mutated(QUEUE, "OrderQueue-dlq", messageRetentionSeconds=None),
        {"sqs-dlq-retention-exceeds-source"},
    ),
    "any queue may redrive to the dead-letter queue": (
        removed((REDRIVE_ALLOW_POLICY, "OrderQueue-redrive-allow")),
        {"sqs-dlq-redrive-allow"},
    ),
    "the dead-letter queue's alarm watches NumberOfMessagesSent": (
        mutated(ALARM, "OrderAlarms-dead-letter-queue-not-empty", metricName="NumberOfMessagesSent"),
        {"sqs-dlq-has-alarm"},
    ),
    "the subscription's dead-letter queue has no alarm": (
        removed((ALARM, SUBSCRIPTION_DLQ_ALARM)),
        {"sqs-dlq-has-alarm"},
    ),
    "the subscription has no dead-letter queue": (
        both(
            mutated(SUBSCRIPTION, "OrderQueue-subscription", redrivePolicy=None),
            removed((QUEUE, "OrderTopic-dlq"), (QUEUE_POLICY, "OrderTopic-dlq-policy")),
        ),
        {"sns-subscription-has-dlq"},
    ),
    "the topic is FIFO and the subscription's dead-letter queue is not": (
        mutated(TOPIC, "OrderTopic", fifoTopic=True),
        {"sns-subscription-dlq-compatible"},
    ),
    "the subscription's dead-letter queue does not let SNS in": (
        rewritten(QUEUE_POLICY, "OrderTopic-dlq-policy", "policy", silent_about("TopicDelivers"), forgets="OrderTopic"),
        {"sns-dlq-accepts-topic"},
    ),
    "the queue's policy has no condition": (
        rewritten(QUEUE_POLICY, "OrderQueue-policy", "policy", unconditional, forgets="OrderTopic"),
        {"queue-policy-accepts-topic-only"},
    ),
    "the dead-letter queue is public": (
        mutated(QUEUE_POLICY, "OrderQueue-dlq-policy", policy=policy_of(EVERYONE, ONLY_TLS)),
        {"resource-policy-not-public"},
    ),
    "the topic is public": (
        mutated(
            TOPIC_POLICY,
            "OrderTopic-policy",
            policy=policy_of({**EVERYONE, "Action": "sns:Publish"}, {**ONLY_TLS, "Action": "sns:Publish"}),
        ),
        {"resource-policy-not-public"},
    ),
    "the dead-letter queue takes plain text": (
        removed((QUEUE_POLICY, "OrderQueue-dlq-policy")),
        {"resource-policy-requires-tls"},
    ),
    "the queue's encryption is switched off": (
        mutated(QUEUE, "OrderQueue", kmsMasterKeyId=None, sqsManagedSseEnabled=False),
        {"sqs-encrypted-at-rest"},
    ),
    "the dead-letter queue has no key": (
        mutated(QUEUE, "OrderQueue-dlq", kmsMasterKeyId=None),
        {"sqs-dlq-encryption-parity"},
    ),
    "the subscription's dead-letter queue has no key": (
        mutated(QUEUE, "OrderTopic-dlq", kmsMasterKeyId=None),
        {"sqs-dlq-encryption-parity"},
    ),
    "the topic has no key": (mutated(TOPIC, "OrderTopic", kmsMasterKeyId=None), {"sns-topic-encrypted-at-rest"}),
    "the alarms' topic has no key": (
        mutated(TOPIC, "OrderAlarms", kmsMasterKeyId=None),
        {"sns-topic-encrypted-at-rest"},
    ),
    "the queue uses the key of AWS": (
        mutated(QUEUE, "OrderQueue", kmsMasterKeyId="alias/aws/sqs"),
        {"sns-to-sqs-no-aws-managed-key"},
    ),
    "the key does not admit SNS": (
        rewritten(KEY, "OrderKey", "policy", silent_about("TopicDelivers")),
        {"kms-key-admits-pipeline-services"},
    ),
    "the key does not admit alarms": (
        rewritten(KEY, "OrderKey", "policy", silent_about("AlarmsNotify")),
        {"kms-key-admits-pipeline-services"},
    ),
    "the key does not admit log groups": (
        rewritten(KEY, "OrderKey", "policy", silent_about("LogGroupsEncrypt")),
        {"kms-key-admits-pipeline-services"},
    ),
    "the key does not rotate": (mutated(KEY, "OrderKey", enableKeyRotation=None), {"kms-key-rotates"}),
    "the function reads a stream without a destination": (
        mutated(MAPPING, "ProcessOrder-mapping", eventSourceArn=KINESIS, startingPosition="LATEST"),
        {"esm-source-queue-has-dlq"},
    ),
    "the visibility timeout is below 6 times the function's": (
        mutated(QUEUE, "OrderQueue", visibilityTimeoutSeconds=179),
        {"esm-visibility-timeout"},
    ),
    "failures are not reported one by one": (
        mutated(MAPPING, "ProcessOrder-mapping", functionResponseTypes=None),
        {"esm-partial-batch-response"},
    ),
    "the mapping's concurrency is refused by Lambda": (
        mutated(MAPPING, "ProcessOrder-mapping", scalingConfig={"maximumConcurrency": 1}),
        {"esm-concurrency-consistent"},
    ),
    "any API may invoke the function": (open_permission(), {"lambda-permission-scoped"}),
    "the function has no tracing": (
        mutated(FUNCTION, "ProcessOrder", tracingConfig=None),
        {"lambda-runtime-and-limits"},
    ),
    "the function's environment holds a password": (
        mutated(FUNCTION, "ProcessOrder", environment={"variables": {"DB_PASSWORD": "correct horse"}}),
        {"lambda-env-protected"},
    ),
    "the function's log group is not declared": (
        mutated(FUNCTION, "ProcessOrder", loggingConfig=None),
        {"lambda-log-group-declared"},
    ),
    "logs are kept forever": (
        mutated(LOG_GROUP, "ProcessOrder-logs", retentionInDays=None),
        {"log-group-retention-encryption"},
    ),
    "logs have no key": (mutated(LOG_GROUP, "ProcessOrder-logs", kmsKeyId=None), {"log-group-retention-encryption"}),
    "the table cannot be recovered": (
        mutated(TABLE, "Orders", pointInTimeRecovery=None),
        {"dynamodb-table-protected"},
    ),
    "the table has no key": (mutated(TABLE, "Orders", serverSideEncryption=None), {"dynamodb-table-protected"}),
    "the table's capacity is fixed": (
        mutated(TABLE, "Orders", billingMode="PROVISIONED"),
        {"dynamodb-capacity-follows-load"},
    ),
    "the role may do anything with the queue": (
        mutated(ROLE_POLICY, "ProcessOrder-permissions", policy=policy_of(ANYTHING)),
        {"iam-least-privilege"},
    ),
    "anyone may assume the role": (
        mutated(
            ROLE,
            "ProcessOrder-role",
            assumeRolePolicy=policy_of({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}),
        ),
        {"iam-least-privilege"},
    ),
    "the role may not decrypt": (
        removed((ROLE_POLICY, "ProcessOrder-decryption")),
        {"consumer-role-can-use-queue"},
    ),
}


@functools.cache
def recorded(stack: str, *, preview: bool) -> Graph:
    return record(stack=stack, preview=preview)


@MODES
@pytest.mark.parametrize("stack", ["dev", "staging", "prod", "local"])
def test_every_stack_passes(analyzer: AnalyzerStub, stack: str, preview: bool) -> None:
    report = analyze(analyzer, recorded(stack, preview=preview))
    assert report.violations == ()
    assert report.rules == len(RULES)
    waiting = {line.split(":")[0] for line in report.waiting}
    assert waiting == ({"iam-least-privilege", "consumer-role-can-use-queue"} if preview else set())
    assert len(report.waiting) <= 2  # both wait for the key's id, which nothing can know before the key exists


@MODES
@pytest.mark.parametrize(("mutation", "rules"), MUTATIONS.values(), ids=MUTATIONS)
def test_damage_trips_exactly_its_rule(
    analyzer: AnalyzerStub, mutation: Mutation, rules: set[str], preview: bool
) -> None:
    report = analyze(analyzer, mutation(recorded("dev", preview=preview)))
    assert {violation.rule for violation in report.violations} == rules, report.violations


def test_every_mandatory_rule_has_a_mutation_of_its_own() -> None:
    mandatory = {rule.name for rule in RULES if rule.level is EnforcementLevel.MANDATORY}
    assert mandatory <= {name for _, rules in MUTATIONS.values() for name in rules}


@MODES
def test_a_lost_dead_letter_queue_stops_the_deployment_with_its_remedy(preview: bool) -> None:
    mutation, _ = MUTATIONS["the queue has no dead-letter queue"]
    report = check(mutation(recorded("dev", preview=preview)))
    printed = io.StringIO()
    print_report(report, out=printed)
    assert "sqs-queue-has-dlq" in {violation.rule for violation in report.mandatory}
    assert "OrderQueue has no redrivePolicy" in printed.getvalue()
    assert "To fix it: set redrivePolicy" in printed.getvalue()
    assert "2 mandatory and 0 advisory violations" in printed.getvalue()
