"""Rules about who may use a queue or topic by its own policy."""

from collections.abc import Iterator
from typing import Any

from framework.documents import Statement, judged, matches, readable
from framework.rule import Config, Rule, Undecided, Verdict, texts
from framework.stack import QUEUE, QUEUE_POLICY, TOPIC, TOPIC_POLICY, Resource, Stack
from framework.subscriptions import subscribed_topics, topic_arn
from framework.values import MISSING, UNKNOWN, json_object, read
from pulumi_policy import EnforcementLevel, Severity

_SNS = "sns.amazonaws.com"
_SOURCE = "aws:sourcearn"
_EQUAL = ("arnequals", "arnlike", "stringequals", "stringlike")


def policies_of(resource: Resource, stack: Stack) -> list[Resource]:
    """Return what states the policy of a queue or topic: itself if it does so inline, and separate resources."""
    separate = (
        stack.pointing(resource, QUEUE_POLICY, "queueUrl")
        if resource.type == QUEUE
        else stack.pointing(resource, TOPIC_POLICY, "arn")
    )
    return [resource, *separate] if _is_stated(resource, separate) else separate


def _is_stated(resource: Resource, separate: list[Resource]) -> bool:
    """Whether a queue or topic has a policy inline, and does not just show what a separate resource has set.

    AWS tells the policy that holds, whoever has set it: after a refresh it is known although only the separate resource
    says it. Before the resource exists, what is known can only be the program's.
    """
    inline = resource.get("policy")
    if inline is MISSING or inline is UNKNOWN or not separate:
        return inline is not MISSING
    created = read(resource.properties, "arn") is not UNKNOWN
    return not created or all(
        policy.get("policy") is not UNKNOWN and json_object(policy.get("policy")) != json_object(inline)
        for policy in separate
    )


def dead_letters_accept_topic(dead_letters: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """SNS may send to a subscription's dead-letter queue, on behalf of that subscription's topic."""
    for subscription, topic in subscribed_topics(dead_letters, stack, "redrivePolicy", "deadLetterTargetArn"):
        arn = topic_arn(subscription, topic)
        policies = policies_of(dead_letters, stack)
        if any(
            _lets_topic_send(statement, arn, dead_letters) and _limited_to(statement, [arn])
            for policy in policies
            for statement in readable(policy.get("policy"))
        ):
            continue
        if any(policy.get("policy") is UNKNOWN and _mentions(policy, topic, stack) for policy in policies):
            yield Undecided("policy")
        else:
            yield f"does not let SNS send to it for {_named(topic)}, so {subscription.name} has no place to fail to"


def queue_accepts_topic_only(queue: Resource, stack: Stack, config: Config) -> Iterator[Verdict]:
    """A subscribed queue takes messages from its topics through SNS, and from nobody else."""
    subscribed = [
        (subscription, topic)
        for subscription, topic in subscribed_topics(queue, stack, "endpoint")
        if subscription.get("protocol") in ("sqs", UNKNOWN)
    ]
    policies = policies_of(queue, stack)
    if subscribed and len(policies) > 1:
        yield f"has {len(policies)} policies ({', '.join(each.name for each in policies)}), and only the last one holds"
    for subscription, topic in subscribed:
        if not policies:
            yield f"has no policy that lets SNS send to it, so {subscription.name} delivers nothing"
        else:
            yield from _not_delivered(queue, subscription, topic, policies, stack)
    arns = [topic_arn(subscription, topic) for subscription, topic in subscribed]
    for policy in policies if subscribed else []:
        for statement in readable(policy.get("policy")):
            if statement.allows:
                yield from _excess(statement, arns, queue, config)


def _not_delivered(
    queue: Resource, subscription: Resource, topic: Resource | None, policies: list[Resource], stack: Stack
) -> Iterator[Verdict]:
    arn = topic_arn(subscription, topic)
    unknown = [policy for policy in policies if policy.get("policy") is UNKNOWN]
    documents = [readable(policy.get("policy")) for policy in policies if policy not in unknown]
    if any(_lets_topic_send(statement, arn, queue) for document in documents for statement in document):
        return
    if not unknown:
        yield f"has a policy that does not let SNS send to it for {_named(topic)}"
    elif any(_mentions(policy, topic, stack) for policy in unknown):
        yield Undecided("policy")
    else:
        yield f"has a policy that does not mention {_named(topic)}: SNS may send for no topic, or for any"


def _named(topic: Resource | None) -> str:
    return "its topic" if topic is None else topic.name


def _mentions(policy: Resource, topic: Resource | None, stack: Stack) -> bool:
    """Whether a policy that is not readable in preview depends on a topic, as one that names it does."""
    return topic is None or topic in stack.named(policy, TOPIC, UNKNOWN, "policy")


def _lets_topic_send(statement: Statement, topic: Any, queue: Resource) -> bool:
    return (
        statement.allows
        and statement.speaks_for(_SNS)
        and statement.covers("sqs:SendMessage")
        and statement.reaches(queue.get("arn"))
        and all(
            topic is UNKNOWN or any(value is UNKNOWN or matches(value, topic) for value in values)
            for values in _source_arns(statement)
        )
    )


def _limited_to(statement: Statement, topics: list[Any]) -> bool:
    """Whether the statement holds for these topics only; any fixed value may be a topic that is not known yet."""
    for values in _source_arns(statement):
        fixed = not any(isinstance(value, str) and ("*" in value or "?" in value) for value in values)
        if fixed and all(
            value is UNKNOWN or UNKNOWN in topics or any(matches(value, topic) for topic in topics) for value in values
        ):
            return True
    return False


def _source_arns(statement: Statement) -> list[tuple[Any, ...]]:
    return [each.values for each in statement.conditions if each.key == _SOURCE and each.operator in _EQUAL]


def _excess(statement: Statement, topics: list[Any], queue: Resource, config: Config) -> Iterator[Verdict]:
    """What an allowing statement lets in beyond `sqs:SendMessage` by SNS for the subscribed topics."""
    others = [
        name
        for kind, name in statement.principals
        if (kind, name) != ("service", _SNS) and name is not UNKNOWN and name not in config["allowPrincipals"]
    ]
    if others or statement.excludes_principals:
        yield f"has a policy that admits {', '.join(map(str, others)) or 'everyone but some'}, not only SNS"
    if not statement.speaks_for(_SNS):
        return
    if statement.excludes_actions or any(action not in ("sqs:sendmessage", UNKNOWN) for action in statement.actions):
        yield "has a policy that lets SNS do more than sqs:SendMessage"
    if statement.excludes_resources or "*" in statement.resources or not statement.reaches(queue.get("arn")):
        yield "has a policy whose Resource is not the queue itself"
    if not _limited_to(statement, topics):
        yield "has a policy that lets SNS send for topics other than the subscribed one"


def policy_not_public(resource: Resource, config: Config) -> Iterator[Verdict]:
    """Nobody is let in just because they ask."""
    yield from judged(resource.get("policy"), "policy", lambda statement: _public(statement, config))


def _public(statement: Statement, config: Config) -> Iterator[Verdict]:
    if statement.pinned_to(*config["conditionKeys"]):
        return
    if statement.open:
        yield "has a policy that admits everyone"
    if statement.excludes_actions:
        yield "has a policy that allows every action but some (NotAction)"


def policy_requires_tls(resource: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """Requests that do not come over TLS are refused."""
    action = "sqs:SendMessage" if resource.type == QUEUE else "sns:Publish"
    documents = [policy.get("policy") for policy in policies_of(resource, stack)]
    if any(_refuses_plain_text(statement, action) for each in documents for statement in readable(each)):
        return
    if UNKNOWN in documents:
        yield Undecided("policy")
    else:
        yield "has no policy that denies requests without TLS"


def _refuses_plain_text(statement: Statement, action: str) -> bool:
    return (
        not statement.allows
        and statement.open
        and statement.covers(action)
        and any(
            condition.operator == "bool"
            and condition.key == "aws:securetransport"
            and [str(value).lower() for value in condition.values] == ["false"]
            for condition in statement.conditions
        )
    )


RULES = (
    Rule(
        name="sns-dlq-accepts-topic",
        requires="A subscription's dead-letter queue must let SNS send to it on behalf of that topic.",
        why="SNS writes dead letters as itself; without the permission it drops what it could not deliver.",
        remedy="add a sqs.QueuePolicy that allows sns.amazonaws.com sqs:SendMessage with ArnEquals aws:SourceArn = the "
        "topic.",
        level=EnforcementLevel.MANDATORY,
        severity=Severity.HIGH,
        pillar="REL05",
        link="https://docs.aws.amazon.com/sns/latest/dg/sns-configure-dead-letter-queue.html",
        on=(QUEUE,),
        check_in_stack=dead_letters_accept_topic,
    ),
    Rule(
        name="queue-policy-accepts-topic-only",
        requires="A subscribed queue must have one policy that lets SNS, and nobody else, send for its topic alone.",
        why="Without it nothing is delivered; without its condition any topic of any account can send forged orders.",
        remedy="allow only sns.amazonaws.com, only sqs:SendMessage, on the queue's ARN, with ArnEquals aws:SourceArn = "
        "the topic, in one sqs.QueuePolicy.",
        level=EnforcementLevel.MANDATORY,
        severity=Severity.CRITICAL,
        pillar="SEC03",
        maps_to=("Security Hub SQS.3", "Checkov CKV_AWS_387"),
        link="https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html",
        on=(QUEUE,),
        settings=(texts("allowPrincipals", (), "Further principals that the policy may admit, as written in it."),),
        check_in_stack=queue_accepts_topic_only,
    ),
    Rule(
        name="resource-policy-not-public",
        requires="A queue's or topic's policy must not admit everyone.",
        why="Anyone with an AWS account could read orders or forge them.",
        remedy="name the principal, or pin aws:SourceArn, aws:SourceAccount or aws:PrincipalOrgID to a fixed value.",
        level=EnforcementLevel.MANDATORY,
        severity=Severity.CRITICAL,
        pillar="SEC03",
        maps_to=("Security Hub SQS.3", "Security Hub SNS.4", "Checkov CKV_AWS_168", "Checkov CKV_AWS_169"),
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html",
        on=(QUEUE_POLICY, TOPIC_POLICY, QUEUE, TOPIC),
        settings=(
            texts(
                "conditionKeys",
                (
                    "aws:SourceArn",
                    "aws:SourceAccount",
                    "aws:PrincipalOrgID",
                    "aws:PrincipalArn",
                    "aws:PrincipalAccount",
                ),
                "Condition keys whose fixed value makes a public statement private.",
            ),
        ),
        check=policy_not_public,
    ),
    Rule(
        name="resource-policy-requires-tls",
        requires="Every queue and topic must refuse requests that do not come over TLS.",
        why="An order sent in plain text can be read on its way.",
        remedy="deny everyone where Bool aws:SecureTransport is \"false\", in the queue's or topic's policy.",
        level=EnforcementLevel.ADVISORY,
        severity=Severity.MEDIUM,
        pillar="SEC09",
        maps_to=("cdk-nag SQS4", "cdk-nag SNS3"),
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html",
        on=(QUEUE, TOPIC),
        check_in_stack=policy_requires_tls,
    ),
)
