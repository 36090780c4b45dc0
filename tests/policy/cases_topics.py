"""Cases of the rules about topics, subscriptions, resource policies and keys."""

from typing import Any

from framework.stack import KEY_POLICY, QUEUE_POLICY

from tests.policy.case import Case, fails, malformed, passes, unknown
from tests.policy.cases_queues import FORTNIGHT, queue
from tests.policy.sound import (
    ACCOUNT,
    ADMINISTERS,
    ADMITS_ALARMS,
    ADMITS_LOGS,
    ADMITS_SNS,
    Change,
    Json,
    Ref,
    added,
    document,
    from_topic,
    given,
    tls_only,
    without,
)

TO_UNDELIVERED = Json({"deadLetterTargetArn": Ref("undelivered")})
UNSUBSCRIBED = without("undelivered", "undelivered-policy", "undelivered-alarm")
TOPIC_ARN = f"arn:aws:sns:eu-central-1:{ACCOUNT}:topic"


def orders_policy(**changes: Any) -> Change:
    """The subscribed queue's policy, with a changed statement for SNS."""
    return given(
        "orders-policy", policy=document(from_topic(Ref("orders"), Ref("topic"), **changes), tls_only(Ref("orders")))
    )


def dead_policy(*statements: Any, queue: str = "dead") -> Change:
    return given(f"{queue}-policy", policy=document(*statements, tls_only(Ref(queue))))


def key_policy(*statements: Any) -> Change:
    return given("key", policy=document(ADMINISTERS, *statements))


def public(**changes: Any) -> dict[str, Any]:
    """A statement whose every part is known, also in preview."""
    return {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*", **changes}


ORDERS_ARN = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:orders"
ACCEPTS = document(from_topic(Ref("orders"), Ref("topic")), tls_only(Ref("orders")))
KNOWN_TLS = tls_only("*")

CASES: dict[str, list[Case]] = {
    "sns-subscription-has-dlq": [
        passes(
            "mail needs none",
            UNSUBSCRIBED,
            given("subscription", redrivePolicy=None, protocol="email", endpoint="a@b.c"),
        ),
        passes("a policy given as an object", given("subscription", redrivePolicy=TO_UNDELIVERED.value)),
        fails("none", UNSUBSCRIBED, given("subscription", redrivePolicy=None)),
        fails(
            "a count, which SNS refuses",
            given(
                "subscription", redrivePolicy=Json({"deadLetterTargetArn": Ref("undelivered"), "maxReceiveCount": 3})
            ),
            waits=True,
        ),
        fails("no queue", UNSUBSCRIBED, given("subscription", redrivePolicy=Json({"deadLetterTargetArn": TOPIC_ARN}))),
        unknown("the text is unknown", waits=True),
        unknown(
            "the protocol is unknown",
            UNSUBSCRIBED,
            given("subscription", redrivePolicy=None, protocol=Ref("table")),
            waits=True,
        ),
        malformed("not JSON", UNSUBSCRIBED, given("subscription", redrivePolicy="undelivered")),
    ],
    "sns-subscription-dlq-compatible": [
        passes("all FIFO", given("topic", fifoTopic=True), given("undelivered", fifoQueue=True)),
        fails("a standard queue for a FIFO topic", given("topic", fifoTopic=True)),
        fails("a FIFO queue for a standard topic", given("undelivered", fifoQueue=True)),
        fails(
            "its own endpoint",
            UNSUBSCRIBED,
            given("subscription", redrivePolicy=Json({"deadLetterTargetArn": Ref("orders")})),
            given("orders", messageRetentionSeconds=FORTNIGHT),
            given("dead", messageRetentionSeconds=FORTNIGHT + 86_400),
            also=("sqs-dlq-has-alarm",),
        ),
        unknown("the queue is unknown but depended on"),
        malformed(
            "not JSON is for another rule",
            UNSUBSCRIBED,
            given("subscription", redrivePolicy="x"),
            breaks=False,
            also=("sns-subscription-has-dlq",),
        ),
    ],
    "sns-topic-encrypted-at-rest": [
        passes("an alias", given("topic", kmsMasterKeyId="alias/orders")),
        passes(
            "the key of AWS if the team says so",
            given("alarms", kmsMasterKeyId="alias/aws/sns"),
            allowAwsManagedKey=True,
        ),
        fails("none", given("topic", kmsMasterKeyId=None)),
        fails("the key of AWS", given("topic", kmsMasterKeyId="alias/aws/sns")),
        unknown("the key is unknown"),
        malformed("an empty key is none", given("topic", kmsMasterKeyId="")),
    ],
    "sns-to-sqs-no-aws-managed-key": [
        passes(
            "a queue that SNS does not fill",
            queue("q", redrivePolicy=Json({"deadLetterTargetArn": Ref("dead"), "maxReceiveCount": 3})),
            given("q", kmsMasterKeyId="alias/aws/sqs"),
            given(
                "allow",
                redriveAllowPolicy=Json({"redrivePermission": "byQueue", "sourceQueueArns": [Ref("orders"), Ref("q")]}),
            ),
        ),
        passes("no key of its own", given("orders", kmsMasterKeyId=None)),
        fails("the endpoint", given("orders", kmsMasterKeyId="alias/aws/sqs")),
        fails(
            "the alias by its ARN", given("orders", kmsMasterKeyId=f"arn:aws:kms:eu-central-1:{ACCOUNT}:alias/aws/sqs")
        ),
        fails(
            "the dead-letter queue",
            given("undelivered", kmsMasterKeyId="alias/aws/sqs"),
            also=("sqs-dlq-encryption-parity",),
        ),
        unknown("the key is unknown"),
        malformed("a number", given("orders", kmsMasterKeyId=7), breaks=False),
    ],
    "sns-dlq-accepts-topic": [
        passes(
            "a document given as an object",
            given(
                "undelivered-policy",
                policy=document(from_topic(Ref("undelivered"), Ref("topic")), tls_only(Ref("undelivered"))).value,
            ),
        ),
        passes(
            "the condition spelled differently",
            dead_policy(
                from_topic(Ref("undelivered"), None, Condition={"StringEquals": {"AWS:SourceArn": [Ref("topic")]}}),
                queue="undelivered",
            ),
        ),
        fails("no policy", without("undelivered-policy"), also=("resource-policy-requires-tls",)),
        fails("a policy that does not let SNS in", dead_policy(queue="undelivered")),
        fails("another topic", dead_policy(from_topic(Ref("undelivered"), Ref("alarms")), queue="undelivered")),
        fails("any topic", dead_policy(from_topic(Ref("undelivered"), None, Condition=None), queue="undelivered")),
        unknown("the policy is unknown but depends on the topic"),
        unknown(
            "the policy is unknown and depends on no topic",
            dead_policy(from_topic(Ref("undelivered"), f"arn:aws:sns:eu-central-1:{ACCOUNT}:*"), queue="undelivered"),
            breaks=True,
        ),
        malformed(
            "not a document",
            given("undelivered-policy", policy="{}"),
            also=("resource-policy-not-public", "resource-policy-requires-tls"),
        ),
    ],
    "queue-policy-accepts-topic-only": [
        passes("a document given as an object", given("orders-policy", policy=ACCEPTS.value)),
        passes(
            "ARNs spelled out",
            given("orders-policy", policy=document(from_topic(ORDERS_ARN, TOPIC_ARN), tls_only("*"))),
        ),
        fails(
            "another topic spelled out",
            given("orders-policy", policy=document(from_topic(ORDERS_ARN, f"{TOPIC_ARN}-2"), tls_only("*"))),
            only_update=True,
        ),
        passes("ArnLike with a fixed value", orders_policy(Condition={"ArnLike": {"aws:SourceArn": Ref("topic")}})),
        passes("a list of one action", orders_policy(Action=["SQS:SendMessage"])),
        passes(
            "a further principal that is allowed",
            given(
                "orders-policy",
                policy=document(
                    from_topic(Ref("orders"), Ref("topic")),
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": ACCOUNT},
                        "Action": "sqs:SendMessage",
                        "Resource": Ref("orders"),
                    },
                    tls_only(Ref("orders")),
                ),
            ),
            allowPrincipals=[ACCOUNT],
        ),
        passes(
            "a pattern if the team says so",
            orders_policy(
                Condition={"ArnLike": {"aws:SourceArn": f"{TOPIC_ARN}*"}}, Resource=Ref("orders"), Sid=Ref("topic")
            ),
            allowArnLike=True,
        ),
        passes(
            "inline",
            without("orders-policy"),
            given("orders", policy=document(from_topic(Ref("orders"), Ref("topic")), tls_only(Ref("orders")))),
        ),
        fails("no policy", without("orders-policy"), also=("resource-policy-requires-tls",)),
        fails("no condition", orders_policy(Condition=None)),
        fails("another topic", orders_policy(Condition={"ArnEquals": {"aws:SourceArn": Ref("alarms")}})),
        fails("a pattern", orders_policy(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}})),
        fails(
            "a condition that holds without the key",
            orders_policy(Condition={"ArnEqualsIfExists": {"aws:SourceArn": TOPIC_ARN}}),
        ),
        fails(
            "another topic as well",
            orders_policy(Condition={"ArnEquals": {"aws:SourceArn": [Ref("topic"), Ref("alarms")]}}),
            waits=True,
        ),
        fails("more actions", orders_policy(Action="sqs:*"), waits=True),
        fails("every queue", orders_policy(Resource="*"), waits=True),
        fails(
            "the whole account",
            given(
                "orders-policy",
                policy=document(
                    from_topic(Ref("orders"), Ref("topic")),
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": ACCOUNT},
                        "Action": "sqs:SendMessage",
                        "Resource": Ref("orders"),
                    },
                    tls_only(Ref("orders")),
                ),
            ),
            waits=True,
        ),
        fails(
            "two policies",
            added(
                QUEUE_POLICY,
                "second",
                queueUrl=Ref("orders", "url"),
                policy=document(from_topic(Ref("orders"), Ref("topic"))),
            ),
        ),
        unknown("the policy is unknown but depends on the topic"),
        unknown("the policy is unknown and does not depend on the topic", orders_policy(Condition=None), breaks=True),
        malformed(
            "no statements",
            given("orders-policy", policy='{"Version": "2012-10-17"}'),
            also=("resource-policy-not-public", "resource-policy-requires-tls"),
        ),
    ],
    "resource-policy-not-public": [
        passes("pinned to an account", dead_policy(public(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}))),
        passes(
            "pinned by a key that the team adds",
            given(
                "dead-policy",
                policy=document(public(Condition={"StringEquals": {"aws:VpcSourceIp": "10.0.0.1"}}), KNOWN_TLS),
            ),
            conditionKeys=["aws:VpcSourceIp"],
        ),
        passes("an account's root", dead_policy({**ADMINISTERS, "Action": "sqs:SendMessage"})),
        fails("everyone", given("dead-policy", policy=document(public(), KNOWN_TLS))),
        fails("everyone in AWS", given("dead-policy", policy=document(public(Principal={"AWS": ["*"]}), KNOWN_TLS))),
        fails(
            "everyone but one",
            given(
                "dead-policy",
                policy=document(
                    {**{k: v for k, v in public().items() if k != "Principal"}, "NotPrincipal": {"AWS": ACCOUNT}},
                    KNOWN_TLS,
                ),
            ),
        ),
        fails(
            "every action but one",
            given(
                "dead-policy",
                policy=document(
                    {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "NotAction": "sqs:DeleteQueue", "Resource": "*"},
                    KNOWN_TLS,
                ),
            ),
        ),
        fails(
            "pinned to a pattern",
            given(
                "dead-policy",
                policy=document(public(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:*"}}), KNOWN_TLS),
            ),
        ),
        fails(
            "pinned only if the key is there",
            given(
                "dead-policy",
                policy=document(public(Condition={"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}), KNOWN_TLS),
            ),
        ),
        fails(
            "a topic",
            given("topic-policy", policy=document(public(Action="sns:Publish"), tls_only("*", "sns:Publish"))),
        ),
        fails("inline", without("dead-policy"), given("dead", policy=document(public(), KNOWN_TLS))),
        fails(
            "one of several, in a text that is unknown in preview",
            dead_policy(public(Resource=Ref("dead"))),
            waits=True,
        ),
        unknown("the text is unknown", waits=True),
        unknown(
            "a part of an object is unknown",
            given("dead-policy", policy=document(public(Resource=Ref("dead")), KNOWN_TLS).value),
            breaks=True,
        ),
        malformed("not JSON", given("dead-policy", policy="{"), also=("resource-policy-requires-tls",)),
        malformed(
            "a statement that is text",
            given("dead-policy", policy='{"Statement": ["x"]}'),
            also=("resource-policy-requires-tls",),
        ),
        malformed(
            "no effect",
            given("dead-policy", policy='{"Statement": {"Action": "x"}}'),
            also=("resource-policy-requires-tls",),
        ),
    ],
    "resource-policy-requires-tls": [
        passes(
            "a boolean in the condition",
            given("dead-policy", policy=document({**KNOWN_TLS, "Condition": {"Bool": {"aws:SecureTransport": False}}})),
        ),
        fails("no policy", without("dead-policy")),
        fails("not everyone", given("dead-policy", policy=document({**KNOWN_TLS, "Principal": {"AWS": ACCOUNT}}))),
        fails("not every action", given("dead-policy", policy=document({**KNOWN_TLS, "Action": "sqs:DeleteMessage"}))),
        fails(
            "the wrong way round",
            given(
                "dead-policy", policy=document({**KNOWN_TLS, "Condition": {"Bool": {"aws:SecureTransport": "true"}}})
            ),
        ),
        unknown("the text is unknown", waits=True),
        malformed(
            "a condition that is a list",
            given("dead-policy", policy=document({**KNOWN_TLS, "Condition": []})),
            also=("resource-policy-not-public",),
        ),
    ],
    "kms-key-admits-pipeline-services": [
        passes(
            "a policy of its own resource",
            given("key", policy=None),
            added(
                KEY_POLICY,
                "key-policy",
                keyId=Ref("key", "keyId"),
                policy=document(ADMINISTERS, ADMITS_SNS, ADMITS_ALARMS, ADMITS_LOGS),
            ),
        ),
        passes("by its alias", given("orders", kmsMasterKeyId="alias/orders")),
        passes(
            "two statements together",
            key_policy(
                {**ADMITS_SNS, "Action": "kms:GenerateDataKey*"},
                {**ADMITS_SNS, "Action": ["kms:Decrypt"]},
                ADMITS_ALARMS,
                ADMITS_LOGS,
            ),
        ),
        passes(
            "no condition if the team says so",
            key_policy({**ADMITS_SNS, "Condition": {}}, ADMITS_ALARMS, ADMITS_LOGS),
            requireSourceCondition=False,
        ),
        passes(
            "Logs scoped by its encryption context",
            key_policy(
                ADMITS_SNS,
                ADMITS_ALARMS,
                {
                    **ADMITS_LOGS,
                    "Condition": {
                        "ArnLike": {
                            "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:*"
                        }
                    },
                },
            ),
        ),
        fails("no SNS", key_policy(ADMITS_ALARMS, ADMITS_LOGS)),
        fails("no alarms", key_policy(ADMITS_SNS, ADMITS_LOGS)),
        fails("no logs", key_policy(ADMITS_SNS, ADMITS_ALARMS)),
        fails(
            "SNS may not decrypt",
            key_policy({**ADMITS_SNS, "Action": "kms:GenerateDataKey*"}, ADMITS_ALARMS, ADMITS_LOGS),
        ),
        fails("SNS of any account", key_policy({**ADMITS_SNS, "Condition": {}}, ADMITS_ALARMS, ADMITS_LOGS)),
        fails(
            "no SNS, by an alias",
            key_policy(ADMITS_ALARMS, ADMITS_LOGS),
            given("orders", kmsMasterKeyId="alias/orders"),
        ),
        unknown("the key is unknown but depended on", key_policy(ADMITS_ALARMS, ADMITS_LOGS), breaks=True),
        unknown("the key's policy is unknown", given("key", policy=document(ADMINISTERS, Ref("topic"))), waits=True),
        malformed("no document", given("key", policy="none"), also=("kms-key-hygiene",)),
    ],
    "kms-key-rotates": [
        passes("rotation is on"),
        passes("a key that cannot rotate", given("key", enableKeyRotation=None, customerMasterKeySpec="RSA_2048")),
        fails("no rotation", given("key", enableKeyRotation=None)),
        fails("rotation switched off", given("key", enableKeyRotation=False)),
        unknown("whether it rotates is unknown", given("key", enableKeyRotation=Ref("table")), breaks=True, waits=True),
        malformed("a word for a switch", given("key", enableKeyRotation="yes")),
    ],
    "kms-key-hygiene": [
        passes("an account's root administers"),
        passes(
            "everyone, by this account",
            key_policy(
                ADMITS_SNS,
                ADMITS_ALARMS,
                ADMITS_LOGS,
                {
                    **ADMINISTERS,
                    "Principal": {"AWS": "*"},
                    "Condition": {"StringEquals": {"kms:CallerAccount": ACCOUNT}},
                },
            ),
        ),
        fails("deleted in haste", given("key", deletionWindowInDays=7)),
        fails("disabled", given("key", isEnabled=False)),
        fails("lockout check bypassed", given("key", bypassPolicyLockoutSafetyCheck=True)),
        fails("everyone", key_policy(ADMITS_SNS, ADMITS_ALARMS, ADMITS_LOGS, {**ADMINISTERS, "Principal": "*"})),
        unknown(
            "the policy is unknown",
            given(
                "key",
                policy=document(
                    ADMINISTERS,
                    ADMITS_SNS,
                    ADMITS_ALARMS,
                    ADMITS_LOGS,
                    {**ADMINISTERS, "Principal": {"AWS": Ref("role")}},
                ),
            ),
            waits=True,
        ),
        malformed("a window that is no number", given("key", deletionWindowInDays="soon"), breaks=False),
        malformed("a policy that is a list", given("key", policy="[]"), also=("kms-key-admits-pipeline-services",)),
    ],
}
