"""Rules about customer-managed keys: the services of the pipeline may use them, and they cannot be lost."""

from collections.abc import Iterator

from framework import aws
from framework.documents import CALLERS, Statement, judged, matches, readable
from framework.keys import key_documents, keys_of
from framework.rule import Config, Rule, Undecided, Verdict, advice, switch, whole
from framework.stack import Resource, Stack
from framework.subscriptions import filled_by_topic
from framework.values import UNKNOWN, number
from pulumi_policy import Severity

# Where each type names its key.
_ENCRYPTED = {
    aws.QUEUE: ("kmsMasterKeyId",),
    aws.TOPIC: ("kmsMasterKeyId",),
    aws.LOG_GROUP: ("kmsKeyId",),
    aws.TABLE: ("serverSideEncryption", "kmsKeyArn"),
    aws.FUNCTION: ("kmsKeyArn",),
}
_ENCRYPT = ("kms:GenerateDataKey", "kms:Decrypt")
_LOG = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey", "kms:DescribeKey")
_SNS, _CLOUDWATCH, _LOGS = "sns.amazonaws.com", "cloudwatch.amazonaws.com", "logs.*amazonaws.com"


def key_admits_services(resource: Resource, stack: Stack, config: Config) -> Iterator[Verdict]:
    """Whoever encrypts with a key on the pipeline's behalf is let in by that key's policy, and the key is at hand."""
    for key in keys_of(resource, stack, *_ENCRYPTED[resource.type]) if resource.type in _ENCRYPTED else ():
        if key.place[0] and resource.place[0] and key.place[0] != resource.place[0]:
            yield f"uses key {key.name}, which is in another region"
    for key, service, purpose in _needs(resource, stack):
        documents = key_documents(key, stack)
        granting = [
            statement for document in documents for statement in readable(document) if _admits(statement, service)
        ]
        actions = _LOG if service == _LOGS else _ENCRYPT
        missing = [action for action in actions if not any(each.covers(action) for each in granting)]
        if missing and UNKNOWN in documents:
            yield Undecided(f"policy of {key.name}")
        elif missing:
            yield f"uses key {key.name}, whose policy does not let {service} {', '.join(missing)} {purpose}"
        elif config["requireSourceCondition"] and not all(each.open or _scoped(each) for each in granting):
            yield f"uses key {key.name}, whose policy lets {service} in for any account (no aws:SourceAccount)"


def _needs(resource: Resource, stack: Stack) -> Iterator[tuple[Resource, str, str]]:
    """Pairs of key and service that have to meet, and what for."""
    if resource.type == aws.QUEUE and filled_by_topic(resource, stack):
        for key in keys_of(resource, stack, "kmsMasterKeyId"):
            yield key, _SNS, "to fill it"
    elif resource.type == aws.LOG_GROUP:
        for key in keys_of(resource, stack, "kmsKeyId"):
            yield key, _LOGS, "to write to it"
    elif resource.type == aws.ALARM:
        actions = ("alarmActions", "okActions", "insufficientDataActions")
        for topic in dict.fromkeys(each for key in actions for each in stack.pointed(resource, aws.TOPIC, key)):
            for key in keys_of(topic, stack, "kmsMasterKeyId"):
                yield key, _CLOUDWATCH, f"to publish to {topic.name}"


def _admits(statement: Statement, service: str) -> bool:
    """Whether a statement lets a service in, by name or, within what its conditions leave, as one of everyone."""
    named = any(kind == "service" and matches(service, name) for kind, name in statement.principals)
    everyone = statement.open and (not statement.conditions or _scoped(statement))
    return statement.allows and not statement.excludes_principals and (named or everyone)


def _scoped(statement: Statement) -> bool:
    # CloudWatch Logs names the log group in the encryption context instead, and there a pattern is the documented form.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    return any(
        condition.key == "kms:encryptioncontext:aws:logs:arn"
        or (condition.key in ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid") and "*" not in condition.values)
        for condition in statement.conditions
    )


def key_rotates(key: Resource, _config: Config) -> Iterator[Verdict]:
    """A symmetric key rotates; AWS rotates no other kind."""
    rotation = key.get("enableKeyRotation")
    if key.get("customerMasterKeySpec") == "SYMMETRIC_DEFAULT" and rotation is not True:
        yield Undecided("enableKeyRotation") if rotation is UNKNOWN else "does not rotate (enableKeyRotation)"


def key_hygiene(resource: Resource, config: Config) -> Iterator[Verdict]:
    """The key cannot be deleted in haste, and is nobody else's."""
    if resource.type == aws.KEY:
        stated = resource.get("deletionWindowInDays")
        window = number(stated)
        if stated is UNKNOWN:
            yield Undecided("deletionWindowInDays")
        elif window is not None and window < config["minDeletionWindow"]:
            yield f"is deleted {window:g} days after a request, less than {config['minDeletionWindow']}"
        if resource.get("isEnabled") is False:
            yield "is disabled"
    if resource.get("bypassPolicyLockoutSafetyCheck") is True:
        yield "bypasses the check that keeps the account from locking itself out"
    yield from judged(resource.get("policy"), "policy", _public)


def _public(statement: Statement) -> Iterator[Verdict]:
    if statement.open and not statement.pinned_to(*CALLERS, "kms:CallerAccount"):
        yield "has a policy that admits everyone"


RULES = (
    Rule(
        name="kms-key-admits-pipeline-services",
        requires="A key must be of its resource's region and let in whoever encrypts with it: SNS, alarms, Logs.",
        remedy="add a key policy statement for the service with kms:GenerateDataKey* and kms:Decrypt (Logs also "
        "Encrypt*, ReEncrypt*, Describe*), limited by aws:SourceAccount or aws:SourceArn.",
        severity=Severity.CRITICAL,
        pillar="SEC08",
        link="https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
        on=(*_ENCRYPTED, aws.ALARM),
        settings=(switch("requireSourceCondition", "Whether each grant must be limited to a source.", default=True),),
        check_in_stack=key_admits_services,
    ),
    Rule(
        name="kms-key-rotates",
        requires="A symmetric key must rotate.",
        remedy="set enableKeyRotation to true; what is encrypted already stays readable.",
        pillar="SEC08",
        maps_to=("Security Hub KMS.4", "Checkov CKV_AWS_7", "cdk-nag KMS5"),
        link="https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
        on=(aws.KEY,),
        check=key_rotates,
    ),
    advice(
        name="kms-key-hygiene",
        requires="A key must be hard to delete, and not admit everyone.",
        remedy="set a deletionWindowInDays of 14 to 30, and a policy that names its principals.",
        severity=Severity.HIGH,
        pillar="SEC08",
        maps_to=("Security Hub KMS.3", "Security Hub KMS.5"),
        link="https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
        on=(aws.KEY, aws.KEY_POLICY),
        settings=(
            whole("minDeletionWindow", 14, "Fewest days between a request to delete the key and its deletion.", 7),
        ),
        check=key_hygiene,
    ),
)
