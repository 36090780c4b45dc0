"""Rules about topics and subscriptions: encryption, and a place for what cannot be delivered."""

from collections.abc import Iterator

from framework import aws
from framework.keys import is_managed_key
from framework.redrive import is_queue_arn
from framework.rule import Config, Rule, Undecided, Verdict, advice, switch, texts
from framework.stack import Resource, Stack
from framework.subscriptions import filled_by_topic, topics_of
from framework.values import MISSING, UNKNOWN, json_object
from pulumi_policy import Severity


def subscription_has_dead_letter_queue(subscription: Resource, config: Config) -> Iterator[Verdict]:
    """The subscription names a queue for what SNS gives up on, in the shape SNS accepts."""
    protocol, stated = subscription.get("protocol"), subscription.get("redrivePolicy")
    policy = json_object(stated)
    if protocol not in (*config["protocols"], UNKNOWN):
        return
    if UNKNOWN in (protocol, stated):
        yield Undecided("redrivePolicy" if stated is UNKNOWN else "protocol")
    elif stated is MISSING:
        yield f"({protocol}) has no redrivePolicy"
    elif policy is MISSING:
        yield "has a redrivePolicy that is not a JSON object"
    else:
        target = policy.get("deadLetterTargetArn", MISSING)
        if target is not UNKNOWN and not is_queue_arn(target):
            yield "has a redrivePolicy whose deadLetterTargetArn is not the ARN of an SQS queue"
        if more := sorted(set(policy) - {"deadLetterTargetArn"}):
            yield f"has a redrivePolicy with {', '.join(more)}: SNS accepts deadLetterTargetArn only"


def subscription_dead_letter_queue_compatible(
    subscription: Resource, stack: Stack, _config: Config
) -> Iterator[Verdict]:
    """The subscription's dead-letter queue is of the topic's kind and not the very queue it delivers to."""
    targets = stack.pointed(subscription, aws.QUEUE, "redrivePolicy", "deadLetterTargetArn")
    if len(targets) != 1:
        return
    if targets[0] in stack.pointed(subscription, aws.QUEUE, "endpoint"):
        yield f"sends what {targets[0].name} does not accept to {targets[0].name} itself"
    for topic in topics_of(subscription, stack):
        fifo = (topic.get("fifoTopic"), targets[0].get("fifoQueue"))
        if UNKNOWN not in fifo and fifo[0] != fifo[1]:
            yield f"joins topic {topic.name} and queue {targets[0].name}: both must be FIFO or both standard"


def topic_encrypted(topic: Resource, config: Config) -> Iterator[Verdict]:
    """The topic has a key: SNS, unlike SQS, encrypts nothing by itself."""
    key = topic.get("kmsMasterKeyId")
    if key is MISSING:
        yield "has no kmsMasterKeyId"
    elif is_managed_key(key) and not config["allowAwsManagedKey"]:
        yield f"uses the AWS-managed key {key}, which no alarm and no other service can publish through"


def no_managed_key_behind_topic(queue: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """What SNS writes to does not use a key that SNS may not use."""
    key = queue.get("kmsMasterKeyId")
    if is_managed_key(key) and filled_by_topic(queue, stack):
        yield f"is filled by SNS but encrypted with {key}, which SNS may not use"


def subscription_encrypted_on_its_way(subscription: Resource, _config: Config) -> Iterator[Verdict]:
    """SNS delivers over TLS."""
    if subscription.get("protocol") == "http":
        yield "delivers over plain http"


RULES = (
    Rule(
        name="sns-subscription-has-dlq",
        requires="Every subscription that SNS can fail to deliver to must have a dead-letter queue.",
        remedy='set redrivePolicy to {"deadLetterTargetArn": <the ARN of a queue that SNS may send to>}.',
        pillar="REL05",
        maps_to=("cdk-nag SNSRedrivePolicy", "serverless-rules ES7000"),
        link="https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html",
        on=(aws.SUBSCRIPTION,),
        settings=(texts("protocols", ("sqs", "lambda", "http", "https", "firehose"), "Protocols that need one."),),
        check=subscription_has_dead_letter_queue,
    ),
    Rule(
        name="sns-subscription-dlq-compatible",
        requires="A subscription's dead-letter queue must be of its topic's kind and not its own endpoint.",
        remedy="name a queue of its own with the topic's FIFO setting in redrivePolicy.",
        pillar="REL05",
        link="https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html",
        on=(aws.SUBSCRIPTION,),
        check_in_stack=subscription_dead_letter_queue_compatible,
    ),
    advice(
        name="sns-subscription-uses-tls",
        requires="A subscription must not deliver over plain http.",
        remedy='set protocol to "https" and endpoint to an https address.',
        pillar="SEC09",
        link="https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html",
        on=(aws.SUBSCRIPTION,),
        check=subscription_encrypted_on_its_way,
    ),
    Rule(
        name="sns-topic-encrypted-at-rest",
        requires="Every topic must be encrypted with a KMS key.",
        remedy="set kmsMasterKeyId to a customer-managed key.",
        pillar="SEC08",
        maps_to=("Security Hub SNS.1", "Checkov CKV_AWS_26"),
        link="https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html",
        on=(aws.TOPIC,),
        settings=(switch("allowAwsManagedKey", "Whether alias/aws/sns is good enough.", default=False),),
        check=topic_encrypted,
    ),
    Rule(
        name="sns-to-sqs-no-aws-managed-key",
        requires="A queue that SNS fills must not use the AWS-managed key of SQS.",
        remedy="set kmsMasterKeyId to a key that admits sns.amazonaws.com, or leave it out for SSE-SQS.",
        severity=Severity.CRITICAL,
        pillar="REL05",
        maps_to=("Checkov CKV2_AWS_73",),
        link="https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html",
        on=(aws.QUEUE,),
        check_in_stack=no_managed_key_behind_topic,
    ),
)
