"""Cases of the rules about topics and subscriptions, and about who may send to a queue."""

from typing import Any

from framework import aws

from tests.policy.case import (
    DEAD,
    ORDERS,
    TOPIC,
    TOPIC_DLQ_ALARM,
    UNDELIVERED,
    Case,
    by_account,
    dead,
    document,
    fails,
    from_topic,
    malformed,
    orders,
    passes,
    subscribed,
    tls_only,
    topic,
    undelivered,
    unknown,
)
from tests.policy.cases_queues import BY_SQS, FORTNIGHT, UNKNOWN
from tests.policy.pipeline import Change, Json, Ref, Untold, added, given, without
from tools.recording.graph import ACCOUNT

TOPIC_ARN = f"arn:aws:sns:eu-west-1:{ACCOUNT}:OrderTopic"
ORDERS_ARN = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:OrderQueue"
SHOP = "https://shop.example.com/orders"
ACCEPTS = document(from_topic(ORDERS, TOPIC), tls_only(ORDERS))
TO_UNDELIVERED = Json({"deadLetterTargetArn": UNDELIVERED})
UNSUBSCRIBED = without("OrderTopic-dlq", "OrderTopic-dlq-policy", TOPIC_DLQ_ALARM)
LOST = ("sns-subscription-has-dlq",)
NO_DOCUMENT = ("resource-policy-not-public", "resource-policy-requires-tls")
OF_BOTH = {"ArnEquals": {"aws:SourceArn": [TOPIC, Ref("Second")]}}


def orders_policy(*more: Any, **changes: Any) -> Change:
    """The subscribed queue's policy, with a changed statement for SNS."""
    return given("OrderQueue-policy", policy=document(from_topic(ORDERS, TOPIC, **changes), *more, tls_only(ORDERS)))


def undelivered_policy(**changes: Any) -> Change:
    """The policy of the topic's dead-letter queue, with a changed statement for SNS."""
    accepts = from_topic(UNDELIVERED, TOPIC, **changes)
    return given("OrderTopic-dlq-policy", policy=document(accepts, tls_only(UNDELIVERED)))


def of(*arns: Any, operator: str = "ArnEquals") -> dict[str, Any]:
    return {"Condition": {operator: {"aws:SourceArn": list(arns)}}}


def second_subscription() -> tuple[Change, ...]:
    """Another topic that delivers to the same queue, and fails to the same dead-letter queue."""
    return (
        lambda nodes: added(aws.TOPIC, "Second", **nodes["OrderTopic"].inputs)(nodes),
        lambda nodes: added(
            aws.SUBSCRIPTION, "second", **{**nodes["OrderQueue-subscription"].inputs, "topic": Ref("Second")}
        )(nodes),
        added(aws.TOPIC_POLICY, "second-policy", arn=Ref("Second"), policy=document(tls_only("*", "sns:Publish"))),
    )


CASES: dict[str, list[Case]] = {
    "sns-subscription-has-dlq": [
        passes("mail needs none", UNSUBSCRIBED, subscribed(redrivePolicy=None, protocol="email", endpoint="a@b.c")),
        passes("a policy given as an object", subscribed(redrivePolicy=TO_UNDELIVERED.value)),
        fails("none", UNSUBSCRIBED, subscribed(redrivePolicy=None)),
        fails(
            "a count, which SNS refuses",
            subscribed(redrivePolicy=Json({"deadLetterTargetArn": UNDELIVERED, "maxReceiveCount": 3})),
            waits=True,
        ),
        fails("no queue", UNSUBSCRIBED, subscribed(redrivePolicy=Json({"deadLetterTargetArn": TOPIC_ARN}))),
        unknown("the text is unknown", waits=True),
        unknown("the protocol is unknown", UNSUBSCRIBED, subscribed(redrivePolicy=None, protocol=UNKNOWN), waits=True),
        malformed("not JSON", UNSUBSCRIBED, subscribed(redrivePolicy="undelivered")),
    ],
    "sns-subscription-uses-tls": [
        passes("https", UNSUBSCRIBED, subscribed(redrivePolicy=None, protocol="https", endpoint=SHOP), also=LOST),
        fails("http", UNSUBSCRIBED, subscribed(redrivePolicy=None, protocol="http", endpoint=SHOP), also=LOST),
        unknown("the protocol is unknown", subscribed(protocol=UNKNOWN)),
        malformed("a number", UNSUBSCRIBED, subscribed(redrivePolicy=None, protocol=7), breaks=False),
    ],
    "sns-subscription-dlq-compatible": [
        passes("all FIFO", topic(fifoTopic=True), undelivered(fifoQueue=True)),
        fails("a standard queue for a FIFO topic", topic(fifoTopic=True)),
        fails("a FIFO queue for a standard topic", undelivered(fifoQueue=True)),
        fails(
            "its own endpoint",
            UNSUBSCRIBED,
            subscribed(redrivePolicy=Json({"deadLetterTargetArn": ORDERS})),
            orders(messageRetentionSeconds=FORTNIGHT),
            dead(messageRetentionSeconds=FORTNIGHT + 86_400),
            also=("sqs-dlq-has-alarm",),
        ),
        unknown("the queue is unknown but depended on"),
        malformed("not JSON", UNSUBSCRIBED, subscribed(redrivePolicy="x"), breaks=False, also=LOST),
    ],
    "sns-topic-encrypted-at-rest": [
        passes("an alias", topic(kmsMasterKeyId="alias/orders")),
        passes(
            "the key of AWS if the team says so",
            given("OrderAlarms", kmsMasterKeyId="alias/aws/sns"),
            allowAwsManagedKey=True,
        ),
        fails("none", topic(kmsMasterKeyId=None)),
        fails("the key of AWS", topic(kmsMasterKeyId="alias/aws/sns")),
        unknown("the key is unknown"),
        malformed("an empty key is none", topic(kmsMasterKeyId="")),
    ],
    "sns-to-sqs-no-aws-managed-key": [
        passes("no key of its own", orders(kmsMasterKeyId=None)),
        fails("the endpoint", orders(kmsMasterKeyId=BY_SQS)),
        fails("the alias by its ARN", orders(kmsMasterKeyId=f"arn:aws:kms:eu-west-1:{ACCOUNT}:{BY_SQS}")),
        fails("the dead-letter queue", undelivered(kmsMasterKeyId=BY_SQS), also=("sqs-dlq-encryption-parity",)),
        unknown("the key is unknown"),
        malformed("a number", orders(kmsMasterKeyId=7), breaks=False),
    ],
    "sns-dlq-accepts-topic": [
        passes(
            "the condition spelled differently",
            undelivered_policy(Condition={"ForAnyValue:StringEquals": {"AWS:SourceArn": [TOPIC]}}),
        ),
        passes("everyone, for its topic alone", undelivered_policy(Principal="*")),
        passes(
            "two topics in one statement",
            *second_subscription(),
            undelivered_policy(Condition=OF_BOTH),
            orders_policy(Condition=OF_BOTH),
        ),
        fails("no policy", without("OrderTopic-dlq-policy"), also=("resource-policy-requires-tls",)),
        fails("one that says nothing of SNS", given("OrderTopic-dlq-policy", policy=document(tls_only(UNDELIVERED)))),
        fails("another topic", undelivered_policy(**of(Ref("OrderAlarms")))),
        *(
            fails(f"another {part}", undelivered_policy(**{part: other}), waits=True)
            for part, other in {
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:ReceiveMessage",
                "Resource": DEAD,
            }.items()
        ),
        fails("a pattern", undelivered_policy(**of("arn:aws:sns:*", operator="ArnLike"))),
        fails("any topic", undelivered_policy(Condition=None)),
        unknown("the policy is unknown but depends on the topic"),
        unknown(
            "the policy is unknown and nothing tells of whom it depends on",
            given("OrderTopic-dlq-policy", policy=Untold("OrderTopic-dlq-policy", "text")),
            waits=True,
        ),
        unknown(
            "the policy is unknown and depends on no topic",
            undelivered_policy(**of(f"arn:aws:sns:eu-west-1:{ACCOUNT}:*")),
            breaks=True,
        ),
        malformed("not a document", given("OrderTopic-dlq-policy", policy="{}"), also=NO_DOCUMENT),
    ],
    "queue-policy-accepts-topic-only": [
        passes("a document given as an object", given("OrderQueue-policy", policy=ACCEPTS.value)),
        passes(
            "ARNs spelled out",
            given("OrderQueue-policy", policy=document(from_topic(ORDERS_ARN, TOPIC_ARN), tls_only("*"))),
        ),
        passes("everyone, for its topic alone", orders_policy(Principal="*")),
        passes("a further principal that is allowed", orders_policy(by_account()), allowPrincipals=[ACCOUNT]),
        passes("inline", without("OrderQueue-policy"), orders(policy=ACCEPTS)),
        fails(
            "another topic spelled out",
            given("OrderQueue-policy", policy=document(from_topic(ORDERS_ARN, f"{TOPIC_ARN}-2"), tls_only("*"))),
            only_update=True,
        ),
        fails(
            "everyone, for any topic of the account",
            orders_policy(Principal={"AWS": "*"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
        ),
        fails("no policy", without("OrderQueue-policy"), also=("resource-policy-requires-tls",)),
        fails("no condition", orders_policy(Condition=None)),
        fails("another topic", orders_policy(**of(Ref("OrderAlarms")))),
        fails("a condition that holds without the key", orders_policy(**of(TOPIC_ARN, operator="ArnEqualsIfExists"))),
        fails("another topic as well", orders_policy(**of(TOPIC, Ref("OrderAlarms"))), waits=True),
        fails("more actions", orders_policy(Action="sqs:*"), waits=True),
        fails("every queue", orders_policy(Resource="*"), waits=True),
        fails("the whole account", orders_policy(by_account()), waits=True),
        fails(
            "two policies",
            added(aws.QUEUE_POLICY, "second", queueUrl=Ref("OrderQueue", "url"), policy=ACCEPTS),
        ),
        unknown("the policy is unknown but depends on the topic"),
        unknown("the policy is unknown and does not depend on the topic", orders_policy(Condition=None), breaks=True),
        malformed("no statements", given("OrderQueue-policy", policy='{"Version": "2012-10-17"}'), also=NO_DOCUMENT),
    ],
}
