"""Rules about queues and their dead-letter queues: there is one, it fits, it keeps messages and it keeps secrets."""

from collections.abc import Iterator

from framework import aws
from framework.documents import matches
from framework.keys import is_managed_key
from framework.redrive import (
    dead_letter_queues_of,
    is_dead_letter_queue,
    is_queue_arn,
    redrive_allow_of,
    redrive_of,
    sources_of,
)
from framework.rule import Config, Rule, Undecided, Verdict, advice, texts, whole
from framework.stack import Resource, Stack
from framework.subscriptions import failing_to, topics_of
from framework.values import MISSING, UNKNOWN, inside, json_object, number
from pulumi_policy import Severity

_DAY = 24 * 3600
_MOST_RECEIVES = 1000  # as SQS allows
_STRENGTHS = ("no encryption", "SSE-SQS", "an AWS-managed key", "a customer-managed key")


def has_dead_letter_queue(queue: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """A queue redrives somewhere, or is itself where others redrive to."""
    if redrive_of(queue, stack) is None and not is_dead_letter_queue(queue, stack):
        yield "has no redrivePolicy and is nobody's dead-letter queue"


def dead_letter_queue_compatible(queue: Resource, stack: Stack, config: Config) -> Iterator[Verdict]:
    """The dead-letter queue exists, is of the same kind and place, and does not lead back."""
    redrive = redrive_of(queue, stack)
    if redrive is None:
        return
    arn = inside(json_object(redrive.get("redrivePolicy")), "deadLetterTargetArn")
    targets = dead_letter_queues_of(queue, stack)
    if len(targets) == 1:
        yield from _incompatible(queue, targets[0], stack, by_dependency=arn is UNKNOWN)
    elif targets or (arn is UNKNOWN and config["allowExternalDlqArns"]):
        yield Undecided("redrivePolicy")
    elif arn is UNKNOWN:
        yield "redrives to a queue that is not in this stack"
    elif is_queue_arn(arn) and not any(matches(pattern, arn) for pattern in config["allowExternalDlqArns"]):
        yield f"redrives to {arn}, which is not in this stack"


def _incompatible(queue: Resource, target: Resource, stack: Stack, *, by_dependency: bool) -> Iterator[Verdict]:
    fifo = [each.get("fifoQueue") for each in (queue, target)]
    if UNKNOWN not in fifo and fifo[0] != fifo[1]:
        yield f"and its dead-letter queue {target.name} must both be FIFO or both be standard"
    if queue.apart(target):
        yield f"and its dead-letter queue {target.name} must be in one region and account"
    seen: list[Resource] = []
    step: Resource | None = target
    while step is not None and step is not queue and step not in seen:
        seen.append(step)
        following = dead_letter_queues_of(step, stack)
        step = following[0] if len(following) == 1 else None
    # A queue that names itself in plain sight is for the rule about valid redrive policies.
    if step is queue and (target is not queue or by_dependency):
        yield f"redrives in a loop: {' to '.join(each.name for each in [queue, *seen])} and back"


def retention_fits(queue: Resource, stack: Stack, config: Config) -> Iterator[Verdict]:
    """A message lives through its retries, and then long enough in the dead-letter queue."""
    yield from _lives_through_retries(queue, stack)
    yield from _outlives_sources(queue, stack, config)


def _lives_through_retries(queue: Resource, stack: Stack) -> Iterator[Verdict]:
    """Each receive hides a message for the visibility timeout, and only after the last one is it moved."""
    redrive = redrive_of(queue, stack)
    times = [queue.get(key) for key in ("messageRetentionSeconds", "visibilityTimeoutSeconds")]
    lives, hidden = map(number, times)
    if redrive is None or lives is None or hidden is None:
        if redrive is not None and UNKNOWN in times:
            yield Undecided("messageRetentionSeconds, visibilityTimeoutSeconds")
        return
    stated = inside(json_object(redrive.get("redrivePolicy")), "maxReceiveCount")
    receives = number(stated)
    if receives is not None and lives < receives * hidden:
        yield (
            f"deletes messages after {lives:g} s, before their {receives:g} receives are over "
            f"({receives * hidden:g} s), so none ever reaches its dead-letter queue"
        )
    elif stated is UNKNOWN and lives < _MOST_RECEIVES * hidden:
        yield Undecided("redrivePolicy")


def _outlives_sources(dead_letters: Resource, stack: Stack, config: Config) -> Iterator[Verdict]:
    """A moved message keeps the age it had in its source."""
    sources = sources_of(dead_letters, stack)
    if not sources and not failing_to(dead_letters, stack):
        return
    retention = number(dead_letters.get("messageRetentionSeconds"))
    if retention is None:
        yield Undecided("messageRetentionSeconds")
        return
    least = config["minDlqRetentionDays"]
    if retention < least * _DAY:
        yield f"keeps messages for {_days(retention)}, less than {least} days"
        return
    if dead_letters.get("fifoQueue") is True:
        return  # a FIFO queue starts counting again when it receives a moved message
    margin = config["minMarginDays"]
    for source in sources:
        lives = number(source.get("messageRetentionSeconds"))
        if lives is not None and retention < lives + margin * _DAY:
            yield (
                f"keeps messages for {_days(retention)}, which must be {margin} days longer than its source "
                f"{source.name} does ({_days(lives)})"
            )


def _days(seconds: float) -> str:
    return f"{seconds / _DAY:g} days"


def dead_letters_name_sources(dead_letters: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """The dead-letter queue says which queues may use it, and those that do are among them."""
    sources = sources_of(dead_letters, stack)
    if not sources:
        return
    allow = redrive_allow_of(dead_letters, stack)
    if allow is None:
        yield "lets every queue of the account use it: there is no redriveAllowPolicy"
        return
    policy = json_object(allow.get("redriveAllowPolicy"))
    permission = inside(policy, "redrivePermission")
    if permission is not UNKNOWN and permission != "byQueue":
        yield f"has a redriveAllowPolicy whose redrivePermission is {permission}, not byQueue"
        return
    allowed = stack.pointed(allow, aws.QUEUE, "redriveAllowPolicy", "sourceQueueArns")
    for source in sources:
        if source not in allowed:
            yield f"has a redriveAllowPolicy that does not name its source {source.name}"
        elif permission is UNKNOWN:
            yield Undecided("redriveAllowPolicy")


def dead_letters_not_consumed_by_source(dead_letters: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """What a function failed on does not come straight back to it."""
    consumers = _functions(dead_letters, stack)
    if not consumers:
        return
    for source in sources_of(dead_letters, stack):
        for function in _functions(source, stack):
            if function in consumers:
                yield f"is consumed by {function.name}, whose failures on {source.name} fill it"


def _functions(queue: Resource, stack: Stack) -> list[Resource]:
    mappings = stack.pointing(queue, aws.MAPPING, "eventSourceArn")
    return [function for mapping in mappings for function in stack.pointed(mapping, aws.FUNCTION, "functionName")]


def dead_letters_as_secret_as_source(dead_letters: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """An order does not lose protection by failing: queue or topic, its dead-letter queue is as strong."""
    sources = sources_of(dead_letters, stack)
    for subscription in failing_to(dead_letters, stack):
        sources += topics_of(subscription, stack)
        sources += stack.pointed(subscription, aws.QUEUE, "endpoint")
    own = _strength(dead_letters)
    for source in dict.fromkeys(sources):
        if own < _strength(source):
            yield f"has {_STRENGTHS[own]}, weaker than {_STRENGTHS[_strength(source)]} of its source {source.name}"


def _strength(resource: Resource) -> int:
    key = resource.get("kmsMasterKeyId")
    if key is MISSING:
        # SQS encrypts unless told not to; SNS encrypts only with a key.
        return 0 if resource.type == aws.TOPIC or resource.get("sqsManagedSseEnabled") is False else 1
    return 2 if is_managed_key(key) else 3


RULES = (
    Rule(
        name="sqs-queue-has-dlq",
        requires="Every queue that is not itself a dead-letter queue must have one.",
        remedy="set redrivePolicy to the ARN of a dead-letter queue and a maxReceiveCount.",
        pillar="REL05",
        maps_to=("cdk-nag SQS3", "serverless-rules ES6000", "Control Tower CT.SQS.PR.1"),
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
        on=(aws.QUEUE,),
        check_in_stack=has_dead_letter_queue,
    ),
    Rule(
        name="sqs-dlq-in-stack-and-compatible",
        requires="A dead-letter queue must be of its source's stack, region, account and kind, and not lead back.",
        remedy="redrive to a queue of this stack with the same fifoQueue, or allow its ARN in allowExternalDlqArns.",
        pillar="REL05",
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
        on=(aws.QUEUE,),
        settings=(texts("allowExternalDlqArns", (), "ARNs of dead-letter queues outside, with * and ? as wildcards."),),
        check_in_stack=dead_letter_queue_compatible,
    ),
    Rule(
        name="sqs-dlq-retention-exceeds-source",
        requires="A dead-letter queue must keep messages for the longest time, and longer than its source does; the "
        "source must keep them longer than their retries take.",
        remedy="set messageRetentionSeconds of the dead-letter queue to 1209600 (14 days), and its source's to less, "
        "but more than maxReceiveCount x visibilityTimeoutSeconds.",
        severity=Severity.MEDIUM,
        pillar="REL05",
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html",
        on=(aws.QUEUE,),
        settings=(
            whole("minDlqRetentionDays", 14, "Fewest days that a dead-letter queue keeps a message."),
            whole("minMarginDays", 1, "Days that it must keep a message longer than its source; not for FIFO queues."),
        ),
        check_in_stack=retention_fits,
    ),
    advice(
        name="sqs-dlq-redrive-allow",
        requires="A dead-letter queue must name the queues that may redrive to it.",
        remedy='add sqs.RedriveAllowPolicy with redrivePermission "byQueue" and the source in sourceQueueArns.',
        pillar="SEC03",
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
        on=(aws.QUEUE,),
        check_in_stack=dead_letters_name_sources,
    ),
    advice(
        name="sqs-dlq-not-consumed-by-source-function",
        requires="A dead-letter queue must not feed the function whose failures fill it.",
        remedy="remove the event source mapping and redrive dead letters once their cause is fixed.",
        pillar="REL05",
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html",
        on=(aws.QUEUE,),
        check_in_stack=dead_letters_not_consumed_by_source,
    ),
    Rule(
        name="sqs-dlq-encryption-parity",
        requires="A dead-letter queue must be encrypted at least as strongly as what fills it.",
        remedy="set kmsMasterKeyId of the dead-letter queue to the key of its source.",
        pillar="SEC08",
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html",
        on=(aws.QUEUE,),
        check_in_stack=dead_letters_as_secret_as_source,
    ),
)
