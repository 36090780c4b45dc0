"""Rules about what feeds a function: retries that end, time enough to finish, and failures told one by one."""

from collections.abc import Iterator
from typing import Any

from framework import aws
from framework.redrive import is_dead_letter_queue, redrive_of
from framework.rule import Config, Rule, Undecided, Verdict, advice, whole
from framework.stack import Resource, Stack
from framework.values import MISSING, UNKNOWN, inside, items, json_object, number
from pulumi_policy import Severity

_REPORT = "ReportBatchItemFailures"


def reads_queue(mapping: Resource) -> bool:
    """Whether the source is an SQS queue, which an unknown ARN does not tell but the other inputs do."""
    source = mapping.get("eventSourceArn")
    if isinstance(source, str):
        return ":sqs:" in source
    # Streams need a starting position, brokers name topics or queues; an SQS mapping may have none of these.
    others = ("startingPosition", "topics", "queues", "selfManagedEventSource")
    return source is UNKNOWN and all(mapping.get(key) is MISSING for key in others)


def source_has_dead_letters(mapping: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """What the function cannot process ends up somewhere: by the queue's redrive, or by a stream's destination."""
    for queue in stack.pointed(mapping, aws.QUEUE, "eventSourceArn"):
        # Of any other queue without one, sqs-queue-has-dlq says so.
        if redrive_of(queue, stack) is None and is_dead_letter_queue(queue, stack):
            yield f"reads {queue.name}, a dead-letter queue that has none of its own"
    kept = mapping.get("destinationConfig", "onFailure", "destinationArn") is not MISSING
    if not kept and not reads_queue(mapping) and not stack.pointed(mapping, aws.QUEUE, "eventSourceArn"):
        yield "reads a stream and has no destinationConfig.onFailure"


def visibility_covers_function(mapping: Resource, stack: Stack, config: Config) -> Iterator[Verdict]:
    """No message becomes visible again while a function is still working on it."""
    yield from _not_found(mapping, stack)
    for queue in stack.pointed(mapping, aws.QUEUE, "eventSourceArn"):
        for function in stack.pointed(mapping, aws.FUNCTION, "functionName"):
            visible = number(queue.get("visibilityTimeoutSeconds"))
            timeout = number(function.get("timeout"))
            window = number(mapping.get("maximumBatchingWindowInSeconds"))
            if visible is None or timeout is None or window is None:
                yield Undecided("visibilityTimeoutSeconds")
                continue
            factor = config["factor"]
            least = factor * timeout + window
            if visible < least:
                added = f" + {window:g} s of batching window" if window else ""
                yield (
                    f"reads {queue.name} with a visibility timeout of {visible:g} s, less than {least:g} s "
                    f"({factor} x the {timeout:g} s of {function.name}{added})"
                )


def _not_found(mapping: Resource, stack: Stack) -> Iterator[Verdict]:
    """Wait for the function or queue of a mapping where preview does not tell which it is."""
    for key, type_ in (("functionName", aws.FUNCTION), ("eventSourceArn", aws.QUEUE)):
        if reads_queue(mapping) and mapping.get(key) is UNKNOWN and not stack.pointed(mapping, type_, key):
            yield Undecided(key)


def reports_batch_item_failures(mapping: Resource, _config: Config) -> Iterator[Verdict]:
    """One bad message does not make its neighbours fail."""
    if not reads_queue(mapping) or mapping.get("batchSize") == 1:
        return
    types = mapping.get("functionResponseTypes")
    if _REPORT not in items(types):
        undecided = UNKNOWN in items(types)
        yield Undecided("functionResponseTypes") if undecided else f"does not have {_REPORT} in functionResponseTypes"


def no_filter_on_queue(mapping: Resource, _config: Config) -> Iterator[Verdict]:
    """What a filter leaves out of a queue is deleted, not left for another reader."""
    if reads_queue(mapping) and mapping.get("filterCriteria") is not MISSING:
        yield "has filterCriteria: Lambda deletes the messages that match none of them"


def concurrency_consistent(mapping: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """Batch size, concurrency and retries do not work against each other."""
    if not reads_queue(mapping):
        return
    sizes = [mapping.get(*path) for path in (("scalingConfig", "maximumConcurrency"), ("batchSize",))]
    if UNKNOWN in sizes:
        yield Undecided("scalingConfig, batchSize")
    most, size = number(sizes[0]), number(sizes[1]) or 0
    if most is not None and not 2 <= most <= 1000:
        yield f"has a maximumConcurrency of {most:g}, not 2 to 1000"
    if size > 10 and number(mapping.get("maximumBatchingWindowInSeconds")) == 0:
        yield f"has a batchSize of {size:g} without a batching window of at least 1 second"
    yield from _not_found(mapping, stack)
    queues = stack.pointed(mapping, aws.QUEUE, "eventSourceArn")
    if size > 10 and any(queue.get("fifoQueue") is True for queue in queues):
        yield f"has a batchSize of {size:g}, but a FIFO queue gives 10 at most"
    for function in stack.pointed(mapping, aws.FUNCTION, "functionName"):
        yield from _reserved_problems(function, most, [_receives(queue, stack) for queue in queues])


def _reserved_problems(function: Resource, most: float | None, receives: list[Any]) -> Iterator[Verdict]:
    reserved = number(function.get("reservedConcurrentExecutions"))
    if function.get("reservedConcurrentExecutions") is UNKNOWN:
        yield Undecided("reservedConcurrentExecutions")
    if reserved is None or reserved < 0:
        return
    if reserved == 0:
        yield f"feeds {function.name}, which reserved concurrency 0 keeps from running"
        return
    if most is not None and most > reserved:
        yield f"has a maximumConcurrency of {most:g}, more than the {reserved:g} reserved for {function.name}"
    if reserved < 5 and UNKNOWN in receives:
        yield Undecided("maxReceiveCount")
    for count in map(number, receives):
        if reserved < 5 and count is not None and count < 5:
            yield (
                f"feeds {function.name} with reserved concurrency {reserved:g}: throttled batches use up the {count:g} "
                "receives of good messages"
            )


def _receives(queue: Resource, stack: Stack) -> Any:
    redrive = redrive_of(queue, stack)
    return inside(json_object(redrive.get("redrivePolicy")), "maxReceiveCount") if redrive else MISSING


_SQS = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"

RULES = (
    Rule(
        name="esm-source-queue-has-dlq",
        requires="What feeds a function must have a place for what the function cannot process.",
        remedy="set redrivePolicy of the queue, or destinationConfig.onFailure of a stream's mapping.",
        pillar="REL05",
        maps_to=("serverless-rules ES1001",),
        link=_SQS,
        on=(aws.MAPPING,),
        check_in_stack=source_has_dead_letters,
    ),
    Rule(
        name="esm-visibility-timeout",
        requires="A queue's visibility timeout must be 6 times the timeout of its function, plus the batching window.",
        remedy="set visibilityTimeoutSeconds of the queue to 6 x the function's timeout + the batching window.",
        pillar="REL05",
        maps_to=("cdk-nag LambdaEventSourceSQSVisibilityTimeout",),
        link=_SQS,
        on=(aws.MAPPING,),
        settings=(whole("factor", 6, "Times the function's timeout; Lambda refuses less than 1.", 1),),
        check_in_stack=visibility_covers_function,
    ),
    Rule(
        name="esm-partial-batch-response",
        requires="A queue's event source mapping must report failures one by one.",
        remedy='set functionResponseTypes to ["ReportBatchItemFailures"] and return batchItemFailures.',
        severity=Severity.MEDIUM,
        pillar="REL05",
        link="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html",
        on=(aws.MAPPING,),
        check=reports_batch_item_failures,
    ),
    advice(
        name="esm-queue-not-filtered",
        requires="A queue's event source mapping must not filter.",
        remedy="filter in the subscription's filterPolicy, or in the function, which can report what it does not know.",
        pillar="REL05",
        link="https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html",
        on=(aws.MAPPING,),
        check=no_filter_on_queue,
    ),
    advice(
        name="esm-concurrency-consistent",
        requires="Concurrency, batch size and retries of a queue's event source mapping must fit together.",
        remedy="set scalingConfig.maximumConcurrency (2 to 1000) and leave reserved concurrency alone.",
        pillar="REL05",
        link="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
        on=(aws.MAPPING,),
        check_in_stack=concurrency_consistent,
    ),
)
