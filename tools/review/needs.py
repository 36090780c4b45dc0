"""What the pipeline's parts must be allowed to do, and what a change of policies or keys takes from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from tools.review.access import Request, Statement, allows, grants, many, without
from tools.review.changes import Change, State
from tools.review.pipeline import (
    ALARM,
    FUNCTION,
    HOLDERS,
    KEY,
    LOG_GROUP,
    MAPPING,
    QUEUE,
    ROLE,
    SUBSCRIPTION,
    TABLE,
    TOPIC,
    Documents,
    Pipeline,
)
from tools.review.values import MISSING, Mark

RECEIVING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
WRITING = ("dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate")
LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")
ENCRYPTING = ("kms:GenerateDataKey", "kms:Decrypt")
SNS, CLOUDWATCH = ("Service", "sns.amazonaws.com"), ("Service", "cloudwatch.amazonaws.com")
WAITING = "the old key of its queue, under which orders wait"


@dataclass(frozen=True, kw_only=True)
class Need:
    """One thing that somebody must be allowed to do."""

    who: str
    what: str
    """What it is done to."""
    request: Request
    documents: Documents

    @property
    def met(self) -> bool | None:
        """Whether it is allowed; None if that rests on something that is not known."""
        if "…" in self.request.resource:
            return None
        allowed = allows(_statements(self.documents), self.request)
        return allowed or (None if any(isinstance(each, Mark) for each in self.documents) else False)


@dataclass(frozen=True, kw_only=True)
class Lack:
    """Something that is needed and not allowed after a change."""

    who: str
    says: str
    """As words that follow."""
    certain: bool
    """Whether it could be done before and no longer can; else it is new, or cannot be told yet."""


def lacks(before: Pipeline, after: Pipeline) -> list[Lack]:
    """What could be done before a change and no longer can, and what is new or unknown and may not be possible."""
    if not before.states:
        return []  # nothing has run yet
    could = {(need.who, need.what, need.request.action): need.met for need in _needs(before, before)}
    found: dict[tuple[str, str, str], list[str]] = {}
    for need in _needs(after, before):
        was = could.get((need.who, need.what, need.request.action))
        new = (need.who, need.what, need.request.action) not in could
        if need.met or not (was or new):
            continue
        verb = "may or may not" if need.met is None else "may not" if new else "may no longer"
        actions = found.setdefault((need.who, need.what, verb), [])
        actions += [need.request.action] if need.request.action not in actions else []
    return [
        Lack(who=who, says=f"{verb} {', '.join(actions)} on {what}", certain=verb == "may no longer")
        for (who, what, verb), actions in found.items()
    ]


def takes_away(change: Change, before: Pipeline, after: Pipeline) -> bool:
    """Whether somebody may do less by the policies of what a changed policy belongs to."""
    old, new = (
        _policies_beside(pipeline, state)
        for pipeline, state in ((before, change.before), (after, change.after or change.before))
    )
    if any(isinstance(each, Mark) for each in (*old, *new)):
        return True
    was, becomes = _statements(old), _statements(new)
    return bool(
        without(list(grants(was, "Allow")), list(grants(becomes, "Allow")))
        or without(list(grants(becomes, "Deny")), list(grants(was, "Deny")))
    )


def _policies_beside(pipeline: Pipeline, state: State | None) -> Documents:
    assert state is not None
    if state.type == ROLE:
        return [state.get("assumeRolePolicy")]
    input_, kind = HOLDERS.get(state.type, ("", ""))
    return pipeline.policies(pipeline.of(state, input_, kind) if kind else pipeline.now(state))


def _statements(documents: Documents) -> list[Statement]:
    return [
        statement
        for document in documents
        if isinstance(document, dict)
        for statement in many(document.get("Statement", []))
        if isinstance(statement, dict)
    ]


def _needs(pipeline: Pipeline, before: Pipeline) -> Iterator[Need]:
    """All that must be allowed; `before` is the pipeline whose messages may still wait."""
    for mapping in pipeline.all(MAPPING):
        yield from _of_mapping(pipeline, mapping, before)
    for subscription in pipeline.all(SUBSCRIPTION):
        if subscription.get("protocol") == "sqs":
            yield from _of_subscription(pipeline, subscription)
    for topic in pipeline.all(TOPIC):
        yield from _of_topic(pipeline, topic)
    for group in pipeline.all(LOG_GROUP):
        arn = pipeline.arn("logs", f"log-group:{group.get('name')}")
        service = ("Service", f"logs.{arn.split(':')[3]}.amazonaws.com")
        context = {"kms:EncryptionContext:aws:logs:arn": arn}
        yield from _of_key(pipeline, group, "kmsKeyId", "CloudWatch Logs", service, context, ("kms:Encrypt",))


def _of_mapping(pipeline: Pipeline, mapping: State, before: Pipeline) -> Iterator[Need]:
    """What a mapping asks of its function's role, and what the function does with it."""
    function = pipeline.of(mapping, "functionName", FUNCTION)
    role = pipeline.of(function, "role", ROLE) if function else None
    trust = Request(action="sts:AssumeRole", resource="*", principal=("Service", "lambda.amazonaws.com"))
    trusting = [_of_itself(role.get("assumeRolePolicy"))] if role else []
    yield Need(who="Lambda", what=f"the role of the function of {mapping.name}", request=trust, documents=trusting)
    if function is None or role is None:
        return
    asks = partial(_asks, function.name, pipeline.policies(role))
    queue = pipeline.of(mapping, "eventSourceArn", QUEUE)
    yield from asks("its queue", mapping.get("eventSourceArn"), RECEIVING)
    if queue is not None:
        old = before.named(QUEUE, queue.get("name")) or queue
        yield from asks("the key of its queue", queue.get("kmsMasterKeyId"), ("kms:Decrypt",))
        yield from asks(WAITING, old.get("kmsMasterKeyId"), ("kms:Decrypt",))
        account = ("AWS", pipeline.root)
        yield from _of_key(pipeline, queue, "kmsMasterKeyId", "the account's roles", account, {})
    yield from asks("the key of its environment", function.get("kmsKeyArn"), ("kms:Decrypt",))
    variables = function.get("environment", "variables")
    for value in variables.values() if isinstance(variables, dict) else ():
        if pipeline.named(TABLE, value):
            yield from asks("its table", pipeline.arn("dynamodb", f"table/{value}"), WRITING)
    group = function.get("loggingConfig", "logGroup")
    yield from asks("its log", pipeline.arn("logs", f"log-group:{group}:log-stream:x"), LOGGING)


def _asks(who: str, documents: Documents, what: str, resource: Any, actions: tuple[str, ...]) -> Iterator[Need]:
    if resource is MISSING:
        return
    for action in actions:
        request = Request(action=action, resource=resource if isinstance(resource, str) else "…")
        yield Need(who=who, what=what, request=request, documents=documents)


def _of_itself(document: Any) -> Any:
    """A trust policy, which names no resource: it means its own role."""
    if not isinstance(document, dict):
        return document
    return {"Statement": [{**each, "Resource": "*"} for each in many(document.get("Statement", []))]}


def _of_subscription(pipeline: Pipeline, subscription: State) -> Iterator[Need]:
    """SNS fills the queue or else the dead-letter queue, and encrypts with their keys."""
    topic = str(subscription.get("topic"))
    context = {"aws:SourceArn": topic, "aws:SourceAccount": pipeline.account, "aws:SecureTransport": "true"}
    for arn in (subscription.get("endpoint"), subscription.get("redrivePolicy", "deadLetterTargetArn")):
        queue = pipeline.named(QUEUE, arn)
        if queue is None:  # another program's is not ours to read
            continue
        request = Request(action="sqs:SendMessage", resource=str(arn), principal=SNS, context=context)
        yield Need(who="SNS", what=queue.name, request=request, documents=pipeline.policies(queue))
        yield from _of_key(pipeline, queue, "kmsMasterKeyId", "SNS", SNS, context)


def _of_topic(pipeline: Pipeline, topic: State) -> Iterator[Need]:
    """The account publishes to what queues subscribe to, CloudWatch to what alarms notify."""
    arn = pipeline.arn("sns", str(topic.get("name")))
    context = {"aws:SourceAccount": pipeline.account, "aws:SecureTransport": "true"}
    subscribed = [each for each in pipeline.all(SUBSCRIPTION) if pipeline.of(each, "topic", TOPIC) is topic]
    asking = [("the account", ("AWS", pipeline.root))] if any(s.get("protocol") == "sqs" for s in subscribed) else []
    if any(pipeline.of(alarm, "alarmActions", TOPIC) is topic for alarm in pipeline.all(ALARM)):
        asking.append(("CloudWatch", CLOUDWATCH))
    for who, principal in asking:
        request = Request(action="sns:Publish", resource=arn, principal=principal, context=context)
        yield Need(who=who, what=topic.name, request=request, documents=pipeline.policies(topic))
        yield from _of_key(pipeline, topic, "kmsMasterKeyId", who, principal, context)


def _of_key(
    pipeline: Pipeline,
    user: State,
    input_: str,
    who: str,
    principal: tuple[str, str],
    context: dict[str, str],
    more: tuple[str, ...] = (),
) -> Iterator[Need]:
    """Somebody encrypts and decrypts with the key of what they use; another program's key is not ours to read."""
    key = pipeline.of(user, input_, KEY)
    for action in (*ENCRYPTING, *more) if key else ():
        request = Request(action=action, resource="key", principal=principal, context=context)
        yield Need(who=who, what=f"the key of {user.name}", request=request, documents=pipeline.policies(key))
