"""Cases of the rules about queues and their dead-letter queues."""

from collections.abc import Mapping

from framework import aws

from tests.policy.case import (
    DEAD,
    ORDERS,
    TOPIC,
    TOPIC_DLQ_ALARM,
    UNDELIVERED,
    Case,
    alarmed,
    document,
    fails,
    malformed,
    passes,
    tls_only,
    unknown,
)
from tests.policy.pipeline import Change, Json, Pipeline, Ref, added, given, without
from tools.recording.graph import ACCOUNT

DAY = 86_400
FORTNIGHT = 14 * DAY
LOOP_ARN = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:loop"
FOREIGN_ARN = "arn:aws:sqs:eu-west-1:999999999999:shared-dlq"


def redrive(queue: str, count: object = 3) -> Json:
    return Json({"deadLetterTargetArn": Ref(queue), "maxReceiveCount": count})


def queue(name: str, /, **inputs: object) -> Change:
    """A queue that no rule but the one at hand minds."""

    def change(nodes: Pipeline) -> Pipeline:
        nodes = added(aws.QUEUE, name, **{"kmsMasterKeyId": Ref("OrderKey"), **inputs})(nodes)
        policy = {"queueUrl": Ref(name, "url"), "policy": document(tls_only(Ref(name)))}
        return added(aws.QUEUE_POLICY, f"{name}-policy", **policy)(nodes)

    return change


def pair(source: Mapping[str, object], dead: Mapping[str, object]) -> tuple[Change, ...]:
    """A further queue `q` with a dead-letter queue `q-dead`."""
    allow = Json({"redrivePermission": "byQueue", "sourceQueueArns": [Ref("q")]})
    return (
        queue("q-dead", **{"messageRetentionSeconds": FORTNIGHT, **dead}),
        alarmed("q-dead"),
        queue("q", **{"redrivePolicy": redrive("q-dead"), **source}),
        added(aws.REDRIVE_ALLOW_POLICY, "q-allow", queueUrl=Ref("q-dead", "url"), redriveAllowPolicy=allow),
    )


def redrives(policy: Mapping[str, object]) -> Change:
    return given("OrderQueue", redrivePolicy=Json(policy))


def allow(policy: Mapping[str, object]) -> Change:
    return given("OrderQueue-redrive-allow", redriveAllowPolicy=Json(policy))


NO_REDRIVE = given("OrderQueue", redrivePolicy=None)
FAILURES: dict[str, object] = {"deadLetterConfig": {"arn": Ref("failures")}}
DEAD_LETTER_CONFIGS: list[tuple[str, str, dict[str, object]]] = [
    (
        "a function's destination",
        aws.INVOKE_CONFIG,
        {"destinationConfig": {"onFailure": {"destination": Ref("failures")}}},
    ),
    ("an event rule's target", aws.EVENT_TARGET, FAILURES),
    ("an event bus", aws.EVENT_BUS, FAILURES),
    ("a schedule", aws.SCHEDULE, {"target": FAILURES}),
    ("a pipe from a table", aws.PIPE, {"sourceParameters": {"dynamodbStreamParameters": FAILURES}}),
    ("a pipe from a stream", aws.PIPE, {"sourceParameters": {"kinesisStreamParameters": FAILURES}}),
]

POISON_LOOP = ("esm-source-queue-has-dlq", "consumer-role-can-use-queue")


def consumed_by(function: str) -> tuple[Change, ...]:
    """Let a function, which may be another one, consume the dead-letter queue."""
    return (
        given("OrderQueue-dlq", visibilityTimeoutSeconds=180),
        added(
            aws.FUNCTION,
            "other",
            runtime="python3.12",
            timeout=30,
            memorySize=128,
            tracingConfig={"mode": "Active"},
            loggingConfig={"logGroup": Ref("ProcessOrder-logs", "name")},
        ),
        added(
            aws.MAPPING,
            "repair",
            eventSourceArn=DEAD,
            functionName=Ref(function, "name"),
            functionResponseTypes=["ReportBatchItemFailures"],
        ),
    )


CASES: dict[str, list[Case]] = {
    "sqs-queue-has-dlq": [
        passes("a dead-letter queue has none", *pair({}, {})),
        passes(
            "a redrive policy of its own resource",
            NO_REDRIVE,
            added(
                aws.REDRIVE_POLICY,
                "redrive",
                queueUrl=Ref("OrderQueue", "url"),
                redrivePolicy=redrive("OrderQueue-dlq"),
            ),
        ),
        passes(
            "the dead-letter queue of a function",
            queue("failures"),
            alarmed("failures"),
            given("ProcessOrder", deadLetterConfig={"targetArn": Ref("failures")}),
        ),
        fails("a queue without", queue("lost")),
        fails("the pipeline's queue", NO_REDRIVE),
        *(
            passes(
                f"the dead-letter queue of {what}",
                queue("failures"),
                alarmed("failures"),
                added(type_, "source", **inputs),
            )
            for what, type_, inputs in DEAD_LETTER_CONFIGS
        ),
        fails(
            "a queue that nobody may redrive to", queue("lost", redriveAllowPolicy='{"redrivePermission": "denyAll"}')
        ),
        fails("what nothing fails to any more", without("OrderQueue-subscription", TOPIC_DLQ_ALARM)),
        unknown("the redrive policy is unknown but depends on a queue"),
        unknown("a redrive policy that is only a computed output", queue("lost"), breaks=True),
        malformed("an empty text is no redrive policy", given("OrderQueue", redrivePolicy="")),
    ],
    "sqs-redrive-policy-valid": [
        passes("a count within the range", given("OrderQueue", redrivePolicy=redrive("OrderQueue-dlq", 10))),
        passes(
            "a redrive policy given as an object", given("OrderQueue", redrivePolicy=redrive("OrderQueue-dlq").value)
        ),
        passes(
            "a smaller count if the team says so",
            given("OrderQueue", redrivePolicy=redrive("OrderQueue-dlq", 1)),
            minReceives=1,
        ),
        fails("a count of 2", given("OrderQueue", redrivePolicy=redrive("OrderQueue-dlq", 2)), waits=True),
        fails("a count of 11", given("OrderQueue", redrivePolicy=redrive("OrderQueue-dlq", 11)), waits=True),
        fails("a count in quotes", given("OrderQueue", redrivePolicy=redrive("OrderQueue-dlq", "3")), waits=True),
        fails("a fraction", given("OrderQueue", redrivePolicy=redrive("OrderQueue-dlq", 3.5)), waits=True),
        fails("no target", redrives({"maxReceiveCount": 3})),
        fails(
            "a topic as target",
            redrives({"deadLetterTargetArn": TOPIC, "maxReceiveCount": 3}),
            also_blind=("sqs-dlq-in-stack-and-compatible",),
            waits=True,
        ),
        fails(
            "itself",
            queue("loop"),
            given("loop", name="loop", redrivePolicy=Json({"deadLetterTargetArn": LOOP_ARN, "maxReceiveCount": 3})),
            also=("sqs-dlq-retention-exceeds-source", "sqs-dlq-redrive-allow", "sqs-dlq-has-alarm"),
        ),
        unknown("the text is unknown", waits=True),
        unknown("one part of an object is unknown", given("OrderQueue", redrivePolicy=redrive("OrderQueue-dlq").value)),
        malformed("not JSON", given("OrderQueue", redrivePolicy="{deadLetterTargetArn")),
        malformed("a list", given("OrderQueue", redrivePolicy="[]")),
        malformed("a number", given("OrderQueue", redrivePolicy=5)),
    ],
    "sqs-dlq-in-stack-and-compatible": [
        passes("both FIFO", *pair({"fifoQueue": True}, {"fifoQueue": True})),
        passes(
            "a queue outside that is allowed",
            redrives({"deadLetterTargetArn": FOREIGN_ARN, "maxReceiveCount": 3}),
            allowExternalDlqArns=["arn:aws:sqs:*:shared-dlq"],
        ),
        fails("a standard dead-letter queue for a FIFO queue", *pair({"fifoQueue": True}, {})),
        fails("a FIFO dead-letter queue for a standard queue", *pair({}, {"fifoQueue": True})),
        fails("a queue outside", redrives({"deadLetterTargetArn": FOREIGN_ARN, "maxReceiveCount": 3})),
        fails(
            "a queue of another account",
            *pair({"arn": "arn:aws:sqs:eu-west-1:999999999999:q"}, {}),
            only_update=True,
            also=("sqs-dlq-redrive-allow", "resource-policy-requires-tls"),
        ),
        fails(
            "a queue of another region",
            *pair({"region": "us-east-1", "kmsMasterKeyId": None}, {"region": "eu-west-1", "kmsMasterKeyId": None}),
        ),
        fails(
            "two queues that redrive to each other",
            *pair({"messageRetentionSeconds": 60}, {"redrivePolicy": redrive("q")}),
            also=("sqs-dlq-retention-exceeds-source", "sqs-dlq-redrive-allow", "sqs-dlq-has-alarm"),
        ),
        unknown("the target is unknown but depends on a queue of this stack"),
        unknown(
            "the target is unknown and depends on no queue",
            redrives({"deadLetterTargetArn": Ref("Orders"), "maxReceiveCount": 3}),
            breaks=True,
        ),
        unknown(
            "a queue that names itself",
            queue("loop", redrivePolicy=redrive("loop"), messageRetentionSeconds=FORTNIGHT),
            breaks=True,
            also=("sqs-dlq-retention-exceeds-source", "sqs-dlq-redrive-allow", "sqs-dlq-has-alarm"),
        ),
        unknown(
            "a target outside may be one that is allowed",
            redrives({"deadLetterTargetArn": Ref("Orders"), "maxReceiveCount": 3}),
            waits=True,
            allowExternalDlqArns=[FOREIGN_ARN],
        ),
        unknown(
            "several queues may be the target",
            given("OrderQueue", redrivePolicy=Json({"deadLetterTargetArn": DEAD, "note": UNDELIVERED})),
            waits=True,
        ),
        malformed(
            "not JSON is for another rule",
            given("OrderQueue", redrivePolicy="{"),
            breaks=False,
            also=("sqs-redrive-policy-valid",),
        ),
    ],
    "sqs-dlq-retention-exceeds-source": [
        passes(
            "a FIFO source as long as its dead-letter queue",
            *pair({"fifoQueue": True, "messageRetentionSeconds": FORTNIGHT}, {"fifoQueue": True}),
        ),
        passes(
            "shorter, if the team says so",
            given("OrderQueue-dlq", messageRetentionSeconds=864_000),
            minDlqRetentionDays=7,
        ),
        fails("the default of 4 days", given("OrderQueue-dlq", messageRetentionSeconds=None)),
        fails("the subscription's, too", given("OrderTopic-dlq", messageRetentionSeconds=345_600)),
        passes("a day longer than its source", given("OrderQueue", messageRetentionSeconds=FORTNIGHT - DAY)),
        fails("a second less than a day longer", given("OrderQueue", messageRetentionSeconds=FORTNIGHT - DAY + 1)),
        fails("a second less than 14 days", given("OrderQueue-dlq", messageRetentionSeconds=FORTNIGHT - 1)),
        fails("a source that keeps as long", given("OrderQueue", messageRetentionSeconds=FORTNIGHT)),
        passes(
            "a source that keeps just as long as its retries take", given("OrderQueue", messageRetentionSeconds=540)
        ),
        fails(
            "a source that deletes before the last retry", given("OrderQueue", messageRetentionSeconds=539), waits=True
        ),
        fails(
            "a FIFO dead-letter queue below the least",
            *pair({"fifoQueue": True}, {"fifoQueue": True, "messageRetentionSeconds": 60}),
        ),
        unknown("the retention is unknown", given("OrderQueue-dlq", messageRetentionSeconds=Ref("Orders")), waits=True),
        malformed("not a number", given("OrderQueue-dlq", messageRetentionSeconds="long"), breaks=False),
        malformed("a number in quotes", given("OrderQueue-dlq", messageRetentionSeconds="60")),
    ],
    "sqs-dlq-redrive-allow": [
        passes(
            "more sources than there are",
            allow({"redrivePermission": "byQueue", "sourceQueueArns": [ORDERS, FOREIGN_ARN]}),
        ),
        passes(
            "inline",
            without("OrderQueue-redrive-allow"),
            given(
                "OrderQueue-dlq", redriveAllowPolicy=Json({"redrivePermission": "byQueue", "sourceQueueArns": [ORDERS]})
            ),
        ),
        fails("none", without("OrderQueue-redrive-allow")),
        fails("all queues", allow({"redrivePermission": "allowAll"})),
        fails("no queue", allow({"redrivePermission": "denyAll"})),
        fails("another queue", allow({"redrivePermission": "byQueue", "sourceQueueArns": [UNDELIVERED]})),
        unknown("the text is unknown but depends on the source", waits=True),
        unknown(
            "the text is unknown and depends on another queue",
            allow({"redrivePermission": "byQueue", "sourceQueueArns": [UNDELIVERED]}),
            breaks=True,
        ),
        malformed("not JSON", given("OrderQueue-redrive-allow", redriveAllowPolicy="x")),
    ],
    "sqs-dlq-not-consumed-by-source-function": [
        passes("consumed by another function", *consumed_by("other"), also=("esm-source-queue-has-dlq",)),
        fails("consumed by the function that fills it", *consumed_by("ProcessOrder"), also=POISON_LOOP),
        unknown(
            "an unknown source is decided by what it depends on",
            *consumed_by("ProcessOrder"),
            breaks=True,
            also=POISON_LOOP,
        ),
        malformed(
            "a mapping without a function",
            *consumed_by("ProcessOrder"),
            given("repair", functionName=7),
            breaks=False,
            also=("esm-source-queue-has-dlq",),
        ),
    ],
    "sqs-encrypted-at-rest": [
        passes("the default of SQS", *pair({"kmsMasterKeyId": None}, {})),
        passes("SSE-SQS stated", *pair({"kmsMasterKeyId": None, "sqsManagedSseEnabled": True}, {})),
        passes("a key and no SSE-SQS", given("OrderQueue", sqsManagedSseEnabled=False)),
        fails("switched off", given("OrderQueue", kmsMasterKeyId=None, sqsManagedSseEnabled=False)),
        fails("both", given("OrderQueue", sqsManagedSseEnabled=True)),
        fails("no key where one is asked for", given("OrderQueue", kmsMasterKeyId=None), requireCmk=True),
        fails(
            "the key of AWS where one's own is asked for",
            *pair({"kmsMasterKeyId": "alias/aws/sqs"}, {}),
            requireCmk=True,
        ),
        unknown("the key is unknown"),
        unknown(
            "the switch is unknown",
            given("OrderQueue", kmsMasterKeyId=None, sqsManagedSseEnabled=Ref("Orders")),
            waits=True,
        ),
        malformed("an empty key is none", given("OrderQueue", kmsMasterKeyId="", sqsManagedSseEnabled=False)),
    ],
    "sqs-dlq-encryption-parity": [
        passes("stronger than its source", given("OrderQueue", kmsMasterKeyId=None)),
        fails("SSE-SQS after a key", given("OrderQueue-dlq", kmsMasterKeyId=None)),
        fails("the subscription's, too", given("OrderTopic-dlq", kmsMasterKeyId=None)),
        fails("SSE-SQS after the key of AWS", *pair({"kmsMasterKeyId": "alias/aws/sqs"}, {"kmsMasterKeyId": None})),
        fails("the key of AWS after one's own", given("OrderQueue-dlq", kmsMasterKeyId="alias/aws/sqs")),
        passes("another key", given("OrderQueue-dlq", kmsMasterKeyId="alias/other")),
        unknown("an unknown key is a key", given("OrderQueue-dlq", kmsMasterKeyId=Ref("OrderKey-alias", "name"))),
        malformed("an empty key is none", given("OrderQueue-dlq", kmsMasterKeyId="")),
    ],
}
