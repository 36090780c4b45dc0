"""Cases of the rules about topics, subscriptions, resource policies and keys."""

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
    document,
    fails,
    from_topic,
    malformed,
    passes,
    statement,
    tls_only,
    unknown,
)
from tests.policy.cases_queues import FORTNIGHT
from tests.policy.pipeline import Change, Json, Ref, Untold, added, given, without
from tools.recording.graph import ACCOUNT

ADMINISTERS = statement("OrderKey", "AccountAdministersKey")
ADMITS_SNS = statement("OrderKey", "TopicDelivers")
ADMITS_ALARMS = statement("OrderKey", "AlarmsNotify")
ADMITS_LOGS = statement("OrderKey", "LogGroupsEncrypt")
ADMITS = (ADMITS_SNS, ADMITS_ALARMS, ADMITS_LOGS)
TO_UNDELIVERED = Json({"deadLetterTargetArn": UNDELIVERED})
UNSUBSCRIBED = without("OrderTopic-dlq", "OrderTopic-dlq-policy", TOPIC_DLQ_ALARM)
EC2 = {"Principal": {"Service": "ec2.amazonaws.com"}}
NO_SERVICE = {"Principal": {"AWS": "logs.eu-west-1.amazonaws.com"}}
ANY_ACCOUNT = {"Condition": {"StringLike": {"aws:SourceAccount": "*"}}}
TOPIC_ARN = f"arn:aws:sns:eu-west-1:{ACCOUNT}:OrderTopic"


def orders_policy(**changes: Any) -> Change:
    """The subscribed queue's policy, with a changed statement for SNS."""
    return given("OrderQueue-policy", policy=document(from_topic(ORDERS, TOPIC, **changes), tls_only(ORDERS)))


def dead_policy(*statements: Any, queue: str = "OrderQueue-dlq") -> Change:
    return given(f"{queue}-policy", policy=document(*statements, tls_only(Ref(queue))))


def undelivered_policy(**changes: Any) -> Change:
    """The policy of the topic's dead-letter queue, with a changed statement for SNS."""
    return dead_policy(from_topic(UNDELIVERED, TOPIC, **changes), queue="OrderTopic-dlq")


def dlq_policy(*statements: Any) -> Change:
    """The dead-letter queue's policy, whose every part is known in preview too."""
    return given("OrderQueue-dlq-policy", policy=document(*statements))


def subscribed(**inputs: Any) -> Change:
    return given("OrderQueue-subscription", **inputs)


def key_policy(*statements: Any) -> Change:
    return given("OrderKey", policy=document(ADMINISTERS, *statements))


def public(**changes: Any) -> dict[str, Any]:
    """A statement whose every part is known, also in preview."""
    return {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*", **changes}


ORDERS_ARN = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:OrderQueue"
ACCEPTS = document(from_topic(ORDERS, TOPIC), tls_only(ORDERS))
KNOWN_TLS = tls_only("*")

OF_GROUP = {"Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"}}}
TLS = "aws:SecureTransport"
OTHERS = {"Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"]}
OTHER = "999999999999"
SHOP = "https://shop.example.com/orders"
LOST = ("sns-subscription-has-dlq",)
OF_BOTH = {"ArnEquals": {"aws:SourceArn": [TOPIC, Ref("Second")]}}


def refused(**condition: Any) -> dict[str, Any]:
    return {**KNOWN_TLS, "Condition": condition}


def without_principal(statement: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != "Principal"}


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
        unknown(
            "the protocol is unknown", UNSUBSCRIBED, subscribed(redrivePolicy=None, protocol=Ref("Orders")), waits=True
        ),
        malformed("not JSON", UNSUBSCRIBED, subscribed(redrivePolicy="undelivered")),
    ],
    "sns-subscription-uses-tls": [
        passes("https", UNSUBSCRIBED, subscribed(redrivePolicy=None, protocol="https", endpoint=SHOP), also=LOST),
        fails("http", UNSUBSCRIBED, subscribed(redrivePolicy=None, protocol="http", endpoint=SHOP), also=LOST),
        unknown("the protocol is unknown", subscribed(protocol=Ref("Orders"))),
        malformed("a number", UNSUBSCRIBED, subscribed(redrivePolicy=None, protocol=7), breaks=False),
    ],
    "sns-subscription-dlq-compatible": [
        passes("all FIFO", given("OrderTopic", fifoTopic=True), given("OrderTopic-dlq", fifoQueue=True)),
        fails("a standard queue for a FIFO topic", given("OrderTopic", fifoTopic=True)),
        fails("a FIFO queue for a standard topic", given("OrderTopic-dlq", fifoQueue=True)),
        fails(
            "its own endpoint",
            UNSUBSCRIBED,
            subscribed(redrivePolicy=Json({"deadLetterTargetArn": ORDERS})),
            given("OrderQueue", messageRetentionSeconds=FORTNIGHT),
            given("OrderQueue-dlq", messageRetentionSeconds=FORTNIGHT + 86_400),
            also=("sqs-dlq-has-alarm",),
        ),
        unknown("the queue is unknown but depended on"),
        malformed(
            "not JSON is for another rule",
            UNSUBSCRIBED,
            subscribed(redrivePolicy="x"),
            breaks=False,
            also=("sns-subscription-has-dlq",),
        ),
    ],
    "sns-topic-encrypted-at-rest": [
        passes("an alias", given("OrderTopic", kmsMasterKeyId="alias/orders")),
        passes(
            "the key of AWS if the team says so",
            given("OrderAlarms", kmsMasterKeyId="alias/aws/sns"),
            allowAwsManagedKey=True,
        ),
        fails("none", given("OrderTopic", kmsMasterKeyId=None)),
        fails("none for alarms", given("OrderAlarms", kmsMasterKeyId=None)),
        fails("the key of AWS", given("OrderTopic", kmsMasterKeyId="alias/aws/sns")),
        unknown("the key is unknown"),
        malformed("an empty key is none", given("OrderTopic", kmsMasterKeyId="")),
    ],
    "sns-to-sqs-no-aws-managed-key": [
        passes("no key of its own", given("OrderQueue", kmsMasterKeyId=None)),
        fails("the endpoint", given("OrderQueue", kmsMasterKeyId="alias/aws/sqs")),
        fails(
            "the alias by its ARN", given("OrderQueue", kmsMasterKeyId=f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/aws/sqs")
        ),
        fails(
            "the dead-letter queue",
            given("OrderTopic-dlq", kmsMasterKeyId="alias/aws/sqs"),
            also=("sqs-dlq-encryption-parity",),
        ),
        unknown("the key is unknown"),
        malformed("a number", given("OrderQueue", kmsMasterKeyId=7), breaks=False),
    ],
    "sns-dlq-accepts-topic": [
        passes(
            "a document given as an object",
            given(
                "OrderTopic-dlq-policy", policy=document(from_topic(UNDELIVERED, TOPIC), tls_only(UNDELIVERED)).value
            ),
        ),
        passes(
            "the condition spelled differently",
            dead_policy(
                from_topic(UNDELIVERED, None, Condition={"StringEquals": {"AWS:SourceArn": [TOPIC]}}),
                queue="OrderTopic-dlq",
            ),
        ),
        passes(
            "everyone, for its topic alone",
            dead_policy(from_topic(UNDELIVERED, TOPIC, Principal="*"), queue="OrderTopic-dlq"),
        ),
        passes(
            "two topics in one statement",
            *second_subscription(),
            dead_policy(from_topic(UNDELIVERED, None, Condition=OF_BOTH), queue="OrderTopic-dlq"),
            orders_policy(Condition=OF_BOTH),
        ),
        unknown(
            "the policy is unknown and nothing tells of whom it depends on",
            given("OrderTopic-dlq-policy", policy=Untold("OrderTopic-dlq-policy", "text")),
            waits=True,
        ),
        fails("no policy", without("OrderTopic-dlq-policy"), also=("resource-policy-requires-tls",)),
        fails("a policy that does not let SNS in", dead_policy(queue="OrderTopic-dlq")),
        fails("another topic", dead_policy(from_topic(UNDELIVERED, Ref("OrderAlarms")), queue="OrderTopic-dlq")),
        fails("another service", undelivered_policy(Principal={"Service": "s3.amazonaws.com"}), waits=True),
        fails("another action", undelivered_policy(Action="sqs:ReceiveMessage"), waits=True),
        fails("another queue", undelivered_policy(Resource=DEAD), waits=True),
        fails("a pattern", undelivered_policy(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}})),
        fails("any topic", dead_policy(from_topic(UNDELIVERED, None, Condition=None), queue="OrderTopic-dlq")),
        unknown("the policy is unknown but depends on the topic"),
        unknown(
            "the policy is unknown and depends on no topic",
            dead_policy(from_topic(UNDELIVERED, f"arn:aws:sns:eu-west-1:{ACCOUNT}:*"), queue="OrderTopic-dlq"),
            breaks=True,
        ),
        malformed(
            "not a document",
            given("OrderTopic-dlq-policy", policy="{}"),
            also=("resource-policy-not-public", "resource-policy-requires-tls"),
        ),
    ],
    "queue-policy-accepts-topic-only": [
        passes("a document given as an object", given("OrderQueue-policy", policy=ACCEPTS.value)),
        passes(
            "ARNs spelled out",
            given("OrderQueue-policy", policy=document(from_topic(ORDERS_ARN, TOPIC_ARN), tls_only("*"))),
        ),
        fails(
            "another topic spelled out",
            given("OrderQueue-policy", policy=document(from_topic(ORDERS_ARN, f"{TOPIC_ARN}-2"), tls_only("*"))),
            only_update=True,
        ),
        passes("ArnLike with a fixed value", orders_policy(Condition={"ArnLike": {"aws:SourceArn": TOPIC}})),
        passes("everyone, for its topic alone", orders_policy(Principal="*")),
        fails(
            "everyone, for any topic of the account",
            orders_policy(Principal={"AWS": "*"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
        ),
        passes("a list of one action", orders_policy(Action=["SQS:SendMessage"])),
        passes(
            "a further principal that is allowed",
            given("OrderQueue-policy", policy=document(from_topic(ORDERS, TOPIC), by_account(), tls_only(ORDERS))),
            allowPrincipals=[ACCOUNT],
        ),
        passes(
            "inline",
            without("OrderQueue-policy"),
            given("OrderQueue", policy=document(from_topic(ORDERS, TOPIC), tls_only(ORDERS))),
        ),
        fails("no policy", without("OrderQueue-policy"), also=("resource-policy-requires-tls",)),
        fails("nobody", given("OrderQueue-policy", policy=document(tls_only(ORDERS)))),
        fails("no condition", orders_policy(Condition=None)),
        fails("another topic", orders_policy(Condition={"ArnEquals": {"aws:SourceArn": Ref("OrderAlarms")}})),
        fails("a pattern", orders_policy(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}})),
        fails(
            "a condition that holds without the key",
            orders_policy(Condition={"ArnEqualsIfExists": {"aws:SourceArn": TOPIC_ARN}}),
        ),
        fails(
            "another topic as well",
            orders_policy(Condition={"ArnEquals": {"aws:SourceArn": [TOPIC, Ref("OrderAlarms")]}}),
            waits=True,
        ),
        fails("more actions", orders_policy(Action="sqs:*"), waits=True),
        fails("every queue", orders_policy(Resource="*"), waits=True),
        fails(
            "the whole account",
            given("OrderQueue-policy", policy=document(from_topic(ORDERS, TOPIC), by_account(), tls_only(ORDERS))),
            waits=True,
        ),
        fails(
            "two policies",
            added(
                aws.QUEUE_POLICY,
                "second",
                queueUrl=Ref("OrderQueue", "url"),
                policy=document(from_topic(ORDERS, TOPIC)),
            ),
        ),
        unknown("the policy is unknown but depends on the topic"),
        unknown("the policy is unknown and does not depend on the topic", orders_policy(Condition=None), breaks=True),
        malformed(
            "no statements",
            given("OrderQueue-policy", policy='{"Version": "2012-10-17"}'),
            also=("resource-policy-not-public", "resource-policy-requires-tls"),
        ),
    ],
    "resource-policy-not-public": [
        passes("pinned to an account", dead_policy(public(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}))),
        passes(
            "pinned by a key that the team adds",
            dlq_policy(public(Condition={"StringEquals": {"aws:VpcSourceIp": "10.0.0.1"}}), KNOWN_TLS),
            conditionKeys=["aws:VpcSourceIp"],
        ),
        passes("an account's root", dead_policy({**ADMINISTERS, "Action": "sqs:SendMessage"})),
        fails("everyone", dlq_policy(public(), KNOWN_TLS)),
        fails("everyone in AWS", dlq_policy(public(Principal={"AWS": ["*"]}), KNOWN_TLS)),
        fails(
            "everyone but one",
            dlq_policy(
                {**{k: v for k, v in public().items() if k != "Principal"}, "NotPrincipal": {"AWS": ACCOUNT}}, KNOWN_TLS
            ),
        ),
        fails(
            "every action but one",
            dlq_policy(
                {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "NotAction": "sqs:DeleteQueue", "Resource": "*"},
                KNOWN_TLS,
            ),
        ),
        fails(
            "pinned to a pattern",
            dlq_policy(public(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:*"}}), KNOWN_TLS),
        ),
        fails(
            "pinned only if the key is there",
            dlq_policy(public(Condition={"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}), KNOWN_TLS),
        ),
        fails("a table", added(aws.TABLE_POLICY, "shared", policy=document(public(Action="dynamodb:GetItem")))),
        fails(
            "a topic",
            given("OrderTopic-policy", policy=document(public(Action="sns:Publish"), tls_only("*", "sns:Publish"))),
        ),
        fails(
            "inline", without("OrderQueue-dlq-policy"), given("OrderQueue-dlq", policy=document(public(), KNOWN_TLS))
        ),
        fails("one of several, in a text that is unknown in preview", dead_policy(public(Resource=DEAD)), waits=True),
        unknown("the text is unknown", waits=True),
        unknown(
            "a part of an object is unknown",
            given("OrderQueue-dlq-policy", policy=document(public(Resource=DEAD), KNOWN_TLS).value),
            breaks=True,
        ),
        malformed("not JSON", given("OrderQueue-dlq-policy", policy="{"), also=("resource-policy-requires-tls",)),
    ],
    "resource-policy-known-accounts": [
        passes("this account", dead_policy(by_account())),
        passes("one that is allowed", dead_policy(by_account(Principal={"AWS": OTHER})), allowAccounts=[OTHER]),
        passes("a denial", dead_policy(by_account(Principal={"AWS": OTHER}, Effect="Deny"))),
        fails("another one", dead_policy(by_account(Principal={"AWS": OTHER})), waits=True),
        *(
            fails(f"another one by {type_}", added(type_, "shared", **inputs), waits=True)
            for type_, inputs in (
                (aws.PERMISSION, {"principal": OTHER}),
                (aws.KEY_GRANT, {"granteePrincipal": f"arn:aws:iam::{OTHER}:role/reader"}),
                (aws.TABLE_POLICY, {"policy": document(by_account(Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}))}),
                (aws.ROLE, {"assumeRolePolicy": document(by_account(Principal={"AWS": OTHER}))}),
            )
        ),
        fails(
            "another one by a key",
            key_policy(*ADMITS, by_account(Principal={"AWS": OTHER})),
            waits=True,
        ),
        unknown("the document is unknown", given("OrderKey", policy=document(ADMINISTERS, TOPIC)), waits=True),
        malformed(
            "not JSON",
            given("OrderQueue-dlq-policy", policy="{"),
            breaks=False,
            also=("resource-policy-not-public", "resource-policy-requires-tls"),
        ),
    ],
    "resource-policy-requires-tls": [
        passes(
            "a boolean in the condition",
            dlq_policy({**KNOWN_TLS, "Condition": {"Bool": {"aws:SecureTransport": False}}}),
        ),
        passes("a denial that also holds without the key", dlq_policy(refused(BoolIfExists={TLS: "false"}))),
        passes("but for services", dlq_policy(refused(Bool={TLS: "false", "aws:PrincipalIsAWSService": "false"}))),
        passes("in two statements", dlq_policy({**KNOWN_TLS, "Action": "sqs:SendMessage"}, {**KNOWN_TLS, **OTHERS})),
        fails(
            "of another queue",
            dlq_policy({**KNOWN_TLS, "Resource": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:other"}),
            waits=True,
        ),
        fails(
            "of one account",
            dlq_policy(refused(Bool={TLS: "false"}, StringEquals={"aws:PrincipalAccount": "999999999999"})),
        ),
        fails("sending alone", dlq_policy({**KNOWN_TLS, "Action": "sqs:SendMessage"})),
        fails("everyone but some", dlq_policy({**without_principal(KNOWN_TLS), "NotPrincipal": {"AWS": ACCOUNT}})),
        fails("no policy", without("OrderQueue-dlq-policy")),
        fails("not everyone", dlq_policy({**KNOWN_TLS, "Principal": {"AWS": ACCOUNT}})),
        fails("not every action", dlq_policy({**KNOWN_TLS, "Action": "sqs:DeleteMessage"})),
        fails("the wrong way round", dlq_policy({**KNOWN_TLS, "Condition": {"Bool": {"aws:SecureTransport": "true"}}})),
        unknown("the text is unknown", waits=True),
        malformed(
            "a condition that is a list",
            dlq_policy({**KNOWN_TLS, "Condition": []}),
            also=("resource-policy-not-public",),
        ),
    ],
    "kms-key-admits-pipeline-services": [
        passes(
            "a policy of its own resource",
            given("OrderKey", policy=None),
            added(
                aws.KEY_POLICY,
                "key-policy",
                keyId=Ref("OrderKey", "keyId"),
                policy=document(ADMINISTERS, *ADMITS),
            ),
        ),
        passes("by its alias", given("OrderQueue", kmsMasterKeyId="alias/orders")),
        passes(
            "no condition if the team says so",
            key_policy({**ADMITS_SNS, "Condition": {}}, ADMITS_ALARMS, ADMITS_LOGS),
            requireSourceCondition=False,
        ),
        passes(
            "Logs scoped by its encryption context", key_policy(ADMITS_SNS, ADMITS_ALARMS, {**ADMITS_LOGS, **OF_GROUP})
        ),
        passes("everyone of this account", key_policy({**ADMITS_SNS, "Principal": "*"}, ADMITS_ALARMS, ADMITS_LOGS)),
        fails("in another region", given("OrderKey", region="us-east-1"), given("OrderQueue", region="eu-west-1")),
        fails("no SNS", key_policy(ADMITS_ALARMS, ADMITS_LOGS)),
        fails("no alarms", key_policy(ADMITS_SNS, ADMITS_LOGS)),
        fails("no logs", key_policy(ADMITS_SNS, ADMITS_ALARMS)),
        fails(
            "SNS may not decrypt",
            key_policy({**ADMITS_SNS, "Action": "kms:GenerateDataKey*"}, ADMITS_ALARMS, ADMITS_LOGS),
        ),
        passes(
            "a queue that SNS does not fill",
            key_policy(ADMITS_ALARMS, ADMITS_LOGS),
            *(given(name, kmsMasterKeyId=None) for name in ("OrderQueue", "OrderTopic-dlq")),
            also=("sqs-dlq-encryption-parity",),
        ),
        fails("a service that is not Logs", key_policy(ADMITS_SNS, ADMITS_ALARMS, {**ADMITS_LOGS, **EC2})),
        fails("an account for Logs", key_policy(ADMITS_SNS, ADMITS_ALARMS, {**ADMITS_LOGS, **NO_SERVICE})),
        fails("SNS for a pattern of accounts", key_policy({**ADMITS_SNS, **ANY_ACCOUNT}, ADMITS_ALARMS, ADMITS_LOGS)),
        fails("SNS of any account", key_policy({**ADMITS_SNS, "Condition": {}}, ADMITS_ALARMS, ADMITS_LOGS)),
        fails(
            "no SNS, by an alias",
            key_policy(ADMITS_ALARMS, ADMITS_LOGS),
            given("OrderQueue", kmsMasterKeyId="alias/orders"),
        ),
        unknown("the key is unknown but depended on", key_policy(ADMITS_ALARMS, ADMITS_LOGS), breaks=True),
        unknown("the key's policy is unknown", given("OrderKey", policy=document(ADMINISTERS, TOPIC)), waits=True),
        malformed("no document", given("OrderKey", policy="none"), also=("kms-key-hygiene",)),
    ],
    "kms-key-rotates": [
        passes("rotation is on"),
        passes("a key that cannot rotate", given("OrderKey", enableKeyRotation=None, customerMasterKeySpec="RSA_2048")),
        fails("no rotation", given("OrderKey", enableKeyRotation=None)),
        fails("rotation switched off", given("OrderKey", enableKeyRotation=False)),
        unknown(
            "whether it rotates is unknown", given("OrderKey", enableKeyRotation=Ref("Orders")), breaks=True, waits=True
        ),
        malformed("a word for a switch", given("OrderKey", enableKeyRotation="yes")),
    ],
    "kms-key-hygiene": [
        passes("an account's root administers"),
        passes("deleted after two weeks", given("OrderKey", deletionWindowInDays=14)),
        fails("deleted in haste", given("OrderKey", deletionWindowInDays=7)),
        fails("disabled", given("OrderKey", isEnabled=False)),
        fails("lockout check bypassed", given("OrderKey", bypassPolicyLockoutSafetyCheck=True)),
        fails("everyone", key_policy(*ADMITS, {**ADMINISTERS, "Principal": "*"})),
        unknown(
            "the policy is unknown",
            key_policy(*ADMITS, {**ADMINISTERS, "Principal": {"AWS": Ref("ProcessOrder-role")}}),
            waits=True,
        ),
        malformed("a window that is no number", given("OrderKey", deletionWindowInDays="soon"), breaks=False),
        malformed(
            "a policy that is a list", given("OrderKey", policy="[]"), also=("kms-key-admits-pipeline-services",)
        ),
    ],
}
