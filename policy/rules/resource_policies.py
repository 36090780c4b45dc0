"""Rules about who may use a queue or topic by its own policy."""

from collections.abc import Iterator
from typing import Any

from framework import aws
from framework.documents import ANYONE, CALLERS, Statement, judged, matches, readable
from framework.rule import Config, Rule, Undecided, Verdict, advice, texts
from framework.stack import Resource, Stack
from framework.subscriptions import subscribed_topics, topic_arn
from framework.values import MISSING, UNKNOWN
from pulumi_policy import Severity

_SNS = "sns.amazonaws.com"
_TLS = "aws:securetransport"
# What must not go over the wire in plain text.
_ACTIONS = {aws.QUEUE: ("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"), aws.TOPIC: ("sns:Publish",)}


def policies_of(resource: Resource, stack: Stack) -> list[Resource]:
    """Return what states the policy of a queue or topic: itself if it does so inline, and separate resources."""
    type_, key = (aws.QUEUE_POLICY, "queueUrl") if resource.type == aws.QUEUE else (aws.TOPIC_POLICY, "arn")
    separate = stack.pointing(resource, type_, key)
    inline = resource.sets("policy") and resource.get("policy") is not MISSING
    return [resource, *separate] if inline else separate


def dead_letters_accept_topic(dead_letters: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """SNS may send to a subscription's dead-letter queue, on behalf of that subscription's topic."""
    subscribed = subscribed_topics(dead_letters, stack, "redrivePolicy", "deadLetterTargetArn")
    yield from _admits(dead_letters, subscribed, stack, "has no place to fail to")


def queue_accepts_topic_only(queue: Resource, stack: Stack, config: Config) -> Iterator[Verdict]:
    """A subscribed queue takes messages from its topics through SNS, and from nobody else."""
    subscribed = [
        (subscription, topic)
        for subscription, topic in subscribed_topics(queue, stack, "endpoint")
        if subscription.get("protocol") in ("sqs", UNKNOWN)
    ]
    policies = policies_of(queue, stack) if subscribed else []
    if len(policies) > 1:
        yield f"has {len(policies)} policies ({', '.join(each.name for each in policies)}), and only the last one holds"
    yield from _admits(queue, subscribed, stack, "delivers nothing")
    topics = _topics(queue, stack)
    for statement in _allowing(policies):
        yield from _excess(statement, topics, queue, config)


def _admits(
    queue: Resource, subscribed: list[tuple[Resource, Resource | None]], stack: Stack, otherwise: str
) -> Iterator[Verdict]:
    """Who may send, as every rule reads it: SNS for each topic that is subscribed, and for no other topic."""
    policies = policies_of(queue, stack) if subscribed else []
    unknown = [policy for policy in policies if policy.get("policy") is UNKNOWN]
    sending = [
        statement
        for statement in _allowing(policies)
        if statement.speaks_for(_SNS) and statement.covers("sqs:SendMessage") and statement.reaches(queue)
    ]
    for subscription, topic in subscribed:
        arn, named = topic_arn(subscription, topic), "its topic" if topic is None else topic.name
        if any(_holds_for(statement, arn) for statement in sending):
            continue
        # A policy that names the topic depends on it.
        if any(topic is None or topic in stack.named(policy, aws.TOPIC, UNKNOWN, "policy") for policy in unknown):
            yield Undecided("policy")
        elif unknown:
            yield f"has a policy that does not mention {named}: SNS may send for no topic, or for any"
        else:
            yield f"has no policy that lets SNS send to it for {named}, so {subscription.name} {otherwise}"
    topics = _topics(queue, stack)
    if not all(_limited_to(statement, topics) for statement in sending):
        yield "has a policy that lets SNS send for topics other than those that are subscribed"


def _topics(queue: Resource, stack: Stack) -> list[Any]:
    """Return the ARNs of all topics that deliver to a queue, or put there what they cannot deliver."""
    paths = (("endpoint",), ("redrivePolicy", "deadLetterTargetArn"))
    return [topic_arn(*pair) for path in paths for pair in subscribed_topics(queue, stack, *path)]


def _allowing(policies: list[Resource]) -> list[Statement]:
    found = (statement for policy in policies for statement in readable(policy.get("policy")))
    return [statement for statement in found if statement.allows]


def _holds_for(statement: Statement, topic: Any) -> bool:
    """Whether the conditions of a statement on the source let a topic through."""
    return all(
        topic is UNKNOWN or any(value is UNKNOWN or matches(value, topic) for value in values)
        for values in _source_arns(statement)
    )


def _limited_to(statement: Statement, topics: list[Any]) -> bool:
    """Whether the statement holds for these topics only; any fixed value may be a topic that is not known yet."""
    for values in _source_arns(statement):
        fixed = not any(isinstance(value, str) and ("*" in value or "?" in value) for value in values)
        if fixed and all(value is UNKNOWN or UNKNOWN in topics or value in topics for value in values):
            return True
    return False


def _source_arns(statement: Statement) -> list[tuple[Any, ...]]:
    return [each.values for each in statement.conditions if each.key == "aws:sourcearn" and each.demands]


def _excess(statement: Statement, topics: list[Any], queue: Resource, config: Config) -> Iterator[Verdict]:
    """What an allowing statement lets in beyond `sqs:SendMessage` by SNS for the subscribed topics."""
    # Only services tell a source, so what is limited to a topic lets in SNS, whoever else the principal may mean.
    sns = [("service", _SNS), *([ANYONE] if _limited_to(statement, topics) else [])]
    others = [
        name
        for kind, name in statement.principals
        if (kind, name) not in sns and name is not UNKNOWN and name not in config["allowPrincipals"]
    ]
    if others or statement.excludes_principals:
        yield f"has a policy that admits {', '.join(map(str, others)) or 'everyone but some'}, not only SNS"
    if not any(each in statement.principals for each in sns):
        return
    if statement.excludes_actions or any(action not in ("sqs:sendmessage", UNKNOWN) for action in statement.actions):
        yield "has a policy that lets SNS do more than sqs:SendMessage"
    if statement.excludes_resources or "*" in statement.resources or not statement.reaches(queue):
        yield "has a policy whose Resource is not the queue itself"


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
    """Requests that do not come over TLS are refused, whatever they ask for."""
    documents = [policy.get("policy") for policy in policies_of(resource, stack)]
    refusing = [each for document in documents for each in readable(document) if _refuses_plain_text(each, resource)]
    plain = [action for action in _ACTIONS[resource.type] if not any(each.covers(action) for each in refusing)]
    if plain and UNKNOWN in documents:
        yield Undecided("policy")
    elif plain:
        yield f"has no policy that denies {', '.join(plain)} to everyone without TLS"


def _refuses_plain_text(statement: Statement, resource: Resource) -> bool:
    """Whether a statement denies its actions to everyone whose request is in plain text, and on no other condition."""
    return (
        not statement.allows
        and ANYONE in statement.principals
        and not statement.excludes_principals
        and statement.reaches(resource)
        and any(condition.key == _TLS for condition in statement.conditions)
        and all(
            condition.operator in ("bool", "boolifexists")
            # A service that calls for itself uses TLS.
            and condition.key in (_TLS, "aws:principalisawsservice", "aws:viaawsservice")
            and [str(value).lower() for value in condition.values] == ["false"]
            for condition in statement.conditions
        )
    )


RULES = (
    Rule(
        name="sns-dlq-accepts-topic",
        requires="A subscription's dead-letter queue must let SNS send to it on behalf of that topic.",
        remedy="allow sns.amazonaws.com sqs:SendMessage with ArnEquals aws:SourceArn = the topic, in its policy.",
        pillar="REL05",
        link="https://docs.aws.amazon.com/sns/latest/dg/sns-configure-dead-letter-queue.html",
        on=(aws.QUEUE,),
        check_in_stack=dead_letters_accept_topic,
    ),
    Rule(
        name="queue-policy-accepts-topic-only",
        requires="A subscribed queue must have one policy that lets SNS, and nobody else, send for its topic alone.",
        remedy="allow only sns.amazonaws.com, only sqs:SendMessage, on the queue's ARN, with ArnEquals aws:SourceArn = "
        "the topic, in one sqs.QueuePolicy.",
        severity=Severity.CRITICAL,
        pillar="SEC03",
        maps_to=("Security Hub SQS.3", "Checkov CKV_AWS_387"),
        link="https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html",
        on=(aws.QUEUE,),
        settings=(texts("allowPrincipals", (), "Further principals that the policy may admit, as written in it."),),
        check_in_stack=queue_accepts_topic_only,
    ),
    Rule(
        name="resource-policy-not-public",
        requires="A queue's, topic's or table's policy must not admit everyone.",
        remedy="name the principal, or pin aws:SourceArn, aws:SourceAccount or aws:PrincipalOrgID to a fixed value.",
        severity=Severity.CRITICAL,
        pillar="SEC03",
        maps_to=("Security Hub SQS.3", "Security Hub SNS.4", "Checkov CKV_AWS_168", "Checkov CKV_AWS_169"),
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html",
        on=(aws.QUEUE_POLICY, aws.TOPIC_POLICY, aws.QUEUE, aws.TOPIC, aws.TABLE_POLICY),
        settings=(
            texts(
                "conditionKeys",
                CALLERS,
                "Condition keys whose fixed value makes a public statement private.",
            ),
        ),
        check=policy_not_public,
    ),
    advice(
        name="resource-policy-requires-tls",
        requires="Every queue and topic must refuse requests that do not come over TLS.",
        remedy='deny everyone sqs:* (sns:Publish) on it where Bool aws:SecureTransport is "false".',
        pillar="SEC09",
        maps_to=("cdk-nag SQS4", "cdk-nag SNS3"),
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html",
        on=(aws.QUEUE, aws.TOPIC),
        check_in_stack=policy_requires_tls,
    ),
)
