"""Cases of the rules about who is let in: by policies of queues, topics and tables, and by keys."""

from typing import Any

from framework import aws

from tests.policy.case import (
    DEAD,
    TOPIC,
    Case,
    by_account,
    dead,
    document,
    fails,
    key,
    malformed,
    orders,
    passes,
    statement,
    tls_only,
    undelivered,
    unknown,
)
from tests.policy.cases_queues import UNKNOWN
from tests.policy.pipeline import Change, Ref, added, given, without
from tools.recording.graph import ACCOUNT

ADMINISTERS = statement("OrderKey", "AccountAdministersKey")
ADMITS_SNS = statement("OrderKey", "TopicDelivers")
ADMITS_ALARMS = statement("OrderKey", "AlarmsNotify")
ADMITS_LOGS = statement("OrderKey", "LogGroupsEncrypt")
ADMITS = (ADMITS_SNS, ADMITS_ALARMS, ADMITS_LOGS)
NO_CONDITION: dict[str, Any] = {"Condition": {}}
ANY_ACCOUNT = {"Condition": {"StringLike": {"aws:SourceAccount": "*"}}}
OF_GROUP = {"Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"}}}
OTHER = "999999999999"
OTHERS: dict[str, Any] = {"Principal": {"AWS": OTHER}}
KNOWN_TLS = tls_only("*")
TLS = "aws:SecureTransport"
PLAIN = {TLS: "false"}
UNREADABLE = given("OrderQueue-dlq-policy", policy="{")


def dead_policy(*statements: Any) -> Change:
    return given("OrderQueue-dlq-policy", policy=document(*statements, tls_only(DEAD)))


def dlq_policy(*statements: Any) -> Change:
    """The dead-letter queue's policy, whose every part is known in preview too."""
    return given("OrderQueue-dlq-policy", policy=document(*statements))


def key_policy(*statements: Any) -> Change:
    return key(policy=document(ADMINISTERS, *statements))


def public(**changes: Any) -> dict[str, Any]:
    """A statement whose every part is known, also in preview; None leaves a part out."""
    stated = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*", **changes}
    return {name: value for name, value in stated.items() if value is not None}


def pinned(condition: str, value: str, operator: str = "StringEquals") -> dict[str, Any]:
    return public(Condition={operator: {condition: value}})


def refuses(**changes: Any) -> Change:
    """The dead-letter queue's policy, with a changed statement that refuses plain text."""
    return dlq_policy({name: value for name, value in {**KNOWN_TLS, **changes}.items() if value is not None})


CASES: dict[str, list[Case]] = {
    "resource-policy-not-public": [
        passes("pinned to an account", dead_policy(pinned("aws:SourceAccount", ACCOUNT))),
        passes(
            "pinned by a key that the team adds",
            dlq_policy(pinned("aws:VpcSourceIp", "10.0.0.1"), KNOWN_TLS),
            conditionKeys=["aws:VpcSourceIp"],
        ),
        fails("everyone", dlq_policy(public(), KNOWN_TLS)),
        fails("everyone but one", dlq_policy(public(Principal=None, NotPrincipal={"AWS": ACCOUNT}), KNOWN_TLS)),
        fails(
            "every action but one",
            dlq_policy(public(Principal={"AWS": ACCOUNT}, Action=None, NotAction="sqs:DeleteQueue"), KNOWN_TLS),
        ),
        fails("pinned to a pattern", dlq_policy(pinned("aws:SourceArn", "arn:aws:s3:*", "ArnLike"), KNOWN_TLS)),
        fails("a table", added(aws.TABLE_POLICY, "shared", policy=document(public(Action="dynamodb:GetItem")))),
        fails(
            "a topic",
            given("OrderTopic-policy", policy=document(public(Action="sns:Publish"), tls_only("*", "sns:Publish"))),
        ),
        fails("inline", without("OrderQueue-dlq-policy"), dead(policy=document(public(), KNOWN_TLS))),
        fails("one of several, in a text that is unknown in preview", dead_policy(public(Resource=DEAD)), waits=True),
        unknown("the text is unknown", waits=True),
        unknown(
            "a part of an object is unknown",
            given("OrderQueue-dlq-policy", policy=document(public(Resource=DEAD), KNOWN_TLS).value),
            breaks=True,
        ),
        malformed("not JSON", UNREADABLE, also=("resource-policy-requires-tls",)),
    ],
    "resource-policy-known-accounts": [
        passes("this account", dead_policy(by_account())),
        passes("one that is allowed", dead_policy(by_account(**OTHERS)), allowAccounts=[OTHER]),
        passes("a denial", dead_policy(by_account(**OTHERS, Effect="Deny"))),
        fails("another one", dead_policy(by_account(**OTHERS)), waits=True),
        fails("everyone of another one", dead_policy(pinned("aws:PrincipalAccount", OTHER)), waits=True),
        fails("another one by a key", key_policy(*ADMITS, by_account(**OTHERS)), waits=True),
        *(
            fails(f"another one by {type_}", added(type_, "shared", **inputs), waits=True)
            for type_, inputs in (
                (aws.PERMISSION, {"principal": OTHER}),
                (aws.KEY_GRANT, {"granteePrincipal": f"arn:aws:iam::{OTHER}:role/reader"}),
                (aws.TABLE_POLICY, {"policy": document(by_account(Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}))}),
                (aws.ROLE, {"assumeRolePolicy": document(by_account(**OTHERS))}),
            )
        ),
        unknown("the document is unknown", key(policy=document(ADMINISTERS, TOPIC)), waits=True),
        malformed(
            "not JSON", UNREADABLE, breaks=False, also=("resource-policy-not-public", "resource-policy-requires-tls")
        ),
    ],
    "resource-policy-requires-tls": [
        passes("a boolean in the condition", refuses(Condition={"Bool": {TLS: False}})),
        passes("a denial that also holds without the key", refuses(Condition={"BoolIfExists": PLAIN})),
        *(
            passes(f"but for calls with {caller}", refuses(Condition={"Bool": {**PLAIN, caller: "false"}}))
            for caller in ("aws:PrincipalIsAWSService", "aws:ViaAWSService")
        ),
        passes(
            "in two statements",
            dlq_policy(
                {**KNOWN_TLS, "Action": "sqs:SendMessage"},
                {**KNOWN_TLS, "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"]},
            ),
        ),
        fails("of another queue", refuses(Resource=f"arn:aws:sqs:eu-west-1:{ACCOUNT}:other"), waits=True),
        fails("of one account", refuses(Condition={"Bool": PLAIN, "StringEquals": {"aws:PrincipalAccount": OTHER}})),
        fails("sending alone", refuses(Action="sqs:SendMessage")),
        fails("everyone but some", refuses(Principal=None, NotPrincipal={"AWS": ACCOUNT})),
        fails("no policy", without("OrderQueue-dlq-policy")),
        fails("not everyone", refuses(Principal={"AWS": ACCOUNT})),
        fails("the wrong way round", refuses(Condition={"Bool": {TLS: "true"}})),
        unknown("the text is unknown", waits=True),
        malformed("a condition that is a list", refuses(Condition=[]), also=("resource-policy-not-public",)),
    ],
    "kms-key-admits-pipeline-services": [
        passes(
            "a policy of its own resource",
            key(policy=None),
            added(aws.KEY_POLICY, "key-policy", keyId=Ref("OrderKey", "keyId"), policy=document(ADMINISTERS, *ADMITS)),
        ),
        passes(
            "no condition if the team says so",
            key_policy({**ADMITS_SNS, **NO_CONDITION}, ADMITS_ALARMS, ADMITS_LOGS),
            requireSourceCondition=False,
        ),
        passes("Logs by its encryption context", key_policy(ADMITS_SNS, ADMITS_ALARMS, {**ADMITS_LOGS, **OF_GROUP})),
        passes("everyone of this account", key_policy({**ADMITS_SNS, "Principal": "*"}, ADMITS_ALARMS, ADMITS_LOGS)),
        passes(
            "a queue that SNS does not fill",
            key_policy(ADMITS_ALARMS, ADMITS_LOGS),
            orders(kmsMasterKeyId=None),
            undelivered(kmsMasterKeyId=None),
            also=("sqs-dlq-encryption-parity",),
        ),
        fails("in another region", key(region="us-east-1"), orders(region="eu-west-1")),
        *(
            fails(f"no {left_out['Sid']}", key_policy(*(each for each in ADMITS if each != left_out)))
            for left_out in ADMITS
        ),
        *(
            fails(f"SNS with {changes}", key_policy({**ADMITS_SNS, **changes}, ADMITS_ALARMS, ADMITS_LOGS))
            for changes in ({"Action": "kms:GenerateDataKey*"}, ANY_ACCOUNT, NO_CONDITION)
        ),
        *(
            fails(f"{who} for Logs", key_policy(ADMITS_SNS, ADMITS_ALARMS, {**ADMITS_LOGS, "Principal": who}))
            for who in ({"Service": "ec2.amazonaws.com"}, {"AWS": "logs.eu-west-1.amazonaws.com"})
        ),
        fails("no SNS, by an alias", key_policy(ADMITS_ALARMS, ADMITS_LOGS), orders(kmsMasterKeyId="alias/orders")),
        unknown("the key is unknown but depended on", key_policy(ADMITS_ALARMS, ADMITS_LOGS), breaks=True),
        unknown("the key's policy is unknown", key(policy=document(ADMINISTERS, TOPIC)), waits=True),
        malformed("no document", key(policy="none"), also=("kms-key-hygiene",)),
    ],
    "kms-key-rotates": [
        passes("a key that cannot rotate", key(enableKeyRotation=None, customerMasterKeySpec="RSA_2048")),
        fails("no rotation", key(enableKeyRotation=None)),
        unknown("whether it rotates is unknown", key(enableKeyRotation=UNKNOWN), breaks=True, waits=True),
        malformed("a word for a switch", key(enableKeyRotation="yes")),
    ],
    "kms-key-hygiene": [
        passes("deleted after two weeks", key(deletionWindowInDays=14)),
        fails("deleted in haste", key(deletionWindowInDays=7)),
        fails("disabled", key(isEnabled=False)),
        fails("lockout check bypassed", key(bypassPolicyLockoutSafetyCheck=True)),
        fails("everyone", key_policy(*ADMITS, {**ADMINISTERS, "Principal": "*"})),
        unknown("the window is unknown", key(deletionWindowInDays=UNKNOWN), waits=True),
        unknown(
            "the policy is unknown",
            key_policy(*ADMITS, {**ADMINISTERS, "Principal": {"AWS": Ref("ProcessOrder-role")}}),
            waits=True,
        ),
        malformed("a policy that is a list", key(policy="[]"), also=("kms-key-admits-pipeline-services",)),
    ],
}
