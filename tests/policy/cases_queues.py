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
    dead,
    document,
    fails,
    function,
    malformed,
    orders,
    passes,
    tls_only,
    undelivered,
    unknown,
)
from tests.policy.pipeline import Change, Json, Pipeline, Ref, added, given, without
from tools.recording.graph import ACCOUNT

DAY = 86_400
FORTNIGHT = 14 * DAY
LOOP_ARN = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:loop"
FOREIGN_ARN = "arn:aws:sqs:eu-west-1:999999999999:shared-dlq"
UNKNOWN = Ref("Orders")
"""What only creation tells, and is no queue's."""


def redrive(queue: str, count: object = 3) -> Json:
    return Json({"deadLetterTargetArn": Ref(queue), "maxReceiveCount": count})


def receives(count: object) -> Change:
    return orders(redrivePolicy=redrive("OrderQueue-dlq", count))


def redrives_to(target: object, **more: object) -> Change:
    return orders(redrivePolicy=Json({"deadLetterTargetArn": target, "maxReceiveCount": 3, **more}))


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


def allow(permission: str, *sources: object) -> Change:
    policy = Json({"redrivePermission": permission, "sourceQueueArns": list(sources)})
    return given("OrderQueue-redrive-allow", redriveAllowPolicy=policy)


NO_REDRIVE = orders(redrivePolicy=None)
BY_SQS = "alias/aws/sqs"
ALONE = queue("failures"), alarmed("failures")
FAILURES: dict[str, object] = {"deadLetterConfig": {"arn": Ref("failures")}}
FAILING: list[tuple[str, dict[str, object]]] = [
    (aws.INVOKE_CONFIG, {"destinationConfig": {"onFailure": {"destination": Ref("failures")}}}),
    (aws.EVENT_TARGET, FAILURES),
    (aws.EVENT_BUS, FAILURES),
    (aws.SCHEDULE, {"target": FAILURES}),
    (aws.PIPE, {"sourceParameters": {"dynamodbStreamParameters": FAILURES}}),
    (aws.PIPE, {"sourceParameters": {"kinesisStreamParameters": FAILURES}}),
    ("aws:iot/topicRule:TopicRule", {"errorAction": {"sqs": {"queueUrl": Ref("failures", "url")}}}),
]

POISON_LOOP = ("esm-source-queue-has-dlq", "consumer-role-can-use-queue")
NO_SOURCE = ("sqs-dlq-retention-exceeds-source", "sqs-dlq-redrive-allow", "sqs-dlq-has-alarm")


def consumed_by(name: str) -> tuple[Change, ...]:
    """Let a function, which may be another one, consume the dead-letter queue."""
    return (
        dead(visibilityTimeoutSeconds=180),
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
            functionName=Ref(name, "name"),
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
            "the dead-letter queue of a function", *ALONE, function(deadLetterConfig={"targetArn": Ref("failures")})
        ),
        *(
            passes(f"the dead-letter queue of {type_} {inputs}", *ALONE, added(type_, "source", **inputs))
            for type_, inputs in FAILING
        ),
        fails("a queue without, where only the provider computes one", queue("lost")),
        fails("the pipeline's queue", NO_REDRIVE),
        fails("a queue nobody may redrive to", queue("lost", redriveAllowPolicy='{"redrivePermission": "denyAll"}')),
        fails("what nothing fails to any more", without("OrderQueue-subscription", TOPIC_DLQ_ALARM)),
        unknown("the redrive policy is unknown but depends on a queue"),
        malformed("an empty text is no redrive policy", orders(redrivePolicy="")),
    ],
    "sqs-redrive-policy-valid": [
        passes("the most receives", receives(10)),
        passes("a redrive policy given as an object", orders(redrivePolicy=redrive("OrderQueue-dlq").value)),
        passes("fewer receives if the team says so", receives(1), minReceives=1),
        *(fails(f"a count of {count!r}", receives(count), waits=True) for count in (2, 11, "3")),
        fails("no target", orders(redrivePolicy=Json({"maxReceiveCount": 3}))),
        fails("a topic as target", redrives_to(TOPIC), also_blind=("sqs-dlq-in-stack-and-compatible",), waits=True),
        fails(
            "itself",
            queue("loop"),
            given("loop", name="loop", redrivePolicy=Json({"deadLetterTargetArn": LOOP_ARN, "maxReceiveCount": 3})),
            also=NO_SOURCE,
        ),
        unknown("the text is unknown", waits=True),
        unknown("one part of an object is unknown", orders(redrivePolicy=redrive("OrderQueue-dlq").value)),
        malformed("not JSON", orders(redrivePolicy="{deadLetterTargetArn")),
        malformed("a list", orders(redrivePolicy="[]")),
    ],
    "sqs-dlq-in-stack-and-compatible": [
        passes("both FIFO", *pair({"fifoQueue": True}, {"fifoQueue": True})),
        passes(
            "a queue outside that is allowed",
            redrives_to(FOREIGN_ARN),
            allowExternalDlqArns=["arn:aws:sqs:*:shared-dlq"],
        ),
        fails("a standard dead-letter queue for a FIFO queue", *pair({"fifoQueue": True}, {})),
        fails("a queue outside", redrives_to(FOREIGN_ARN)),
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
            also=NO_SOURCE,
        ),
        unknown("the target is unknown but depends on a queue of this stack"),
        unknown("the target is unknown and depends on no queue", redrives_to(UNKNOWN), breaks=True),
        unknown(
            "a queue that names itself",
            queue("loop", redrivePolicy=redrive("loop"), messageRetentionSeconds=FORTNIGHT),
            breaks=True,
            also=NO_SOURCE,
        ),
        unknown(
            "a target outside may be one that is allowed",
            redrives_to(UNKNOWN),
            waits=True,
            allowExternalDlqArns=[FOREIGN_ARN],
        ),
        unknown("several queues may be the target", redrives_to(DEAD, note=UNDELIVERED), waits=True),
        malformed(
            "not JSON is for another rule", orders(redrivePolicy="{"), breaks=False, also=("sqs-redrive-policy-valid",)
        ),
    ],
    "sqs-dlq-retention-exceeds-source": [
        passes(
            "a FIFO source as long as its dead-letter queue",
            *pair({"fifoQueue": True, "messageRetentionSeconds": FORTNIGHT}, {"fifoQueue": True}),
        ),
        passes("shorter, if the team says so", dead(messageRetentionSeconds=864_000), minDlqRetentionDays=7),
        passes("a day longer than its source", orders(messageRetentionSeconds=FORTNIGHT - DAY)),
        passes("a source that keeps just as long as its retries take", orders(messageRetentionSeconds=540)),
        fails("the default of 4 days", dead(messageRetentionSeconds=None)),
        fails("the subscription's, too", undelivered(messageRetentionSeconds=345_600)),
        fails("a second less than a day longer", orders(messageRetentionSeconds=FORTNIGHT - DAY + 1)),
        fails("a second less than 14 days", dead(messageRetentionSeconds=FORTNIGHT - 1)),
        fails("a source that deletes before the last retry", orders(messageRetentionSeconds=539), waits=True),
        unknown("the retention is unknown", dead(messageRetentionSeconds=UNKNOWN), waits=True),
        unknown("the source's retention is unknown", orders(messageRetentionSeconds=UNKNOWN), waits=True),
        malformed("a number in quotes", dead(messageRetentionSeconds="60")),
    ],
    "sqs-dlq-redrive-allow": [
        passes("more sources than there are", allow("byQueue", ORDERS, FOREIGN_ARN)),
        passes(
            "inline",
            without("OrderQueue-redrive-allow"),
            dead(redriveAllowPolicy=Json({"redrivePermission": "byQueue", "sourceQueueArns": [ORDERS]})),
        ),
        fails("none", without("OrderQueue-redrive-allow")),
        fails("all queues", allow("allowAll")),
        fails("another queue", allow("byQueue", UNDELIVERED)),
        unknown("the text is unknown but depends on the source", waits=True),
        unknown("the text is unknown and depends on another queue", allow("byQueue", UNDELIVERED), breaks=True),
        malformed("not JSON", given("OrderQueue-redrive-allow", redriveAllowPolicy="x")),
    ],
    "sqs-dlq-not-consumed-by-source-function": [
        passes("consumed by another function", *consumed_by("other"), also=POISON_LOOP[:1]),
        fails("consumed by the function that fills it", *consumed_by("ProcessOrder"), also=POISON_LOOP),
        unknown("an unknown source depends on it", *consumed_by("ProcessOrder"), breaks=True, also=POISON_LOOP),
        malformed(
            "a mapping without a function",
            *consumed_by("ProcessOrder"),
            given("repair", functionName=7),
            breaks=False,
            also=POISON_LOOP[:1],
        ),
    ],
    "sqs-encrypted-at-rest": [
        passes("the default of SQS", *pair({"kmsMasterKeyId": None}, {})),
        passes("a key and no SSE-SQS", orders(sqsManagedSseEnabled=False)),
        fails("switched off", orders(kmsMasterKeyId=None, sqsManagedSseEnabled=False)),
        fails("both", orders(sqsManagedSseEnabled=True)),
        fails("no key where one is asked for", orders(kmsMasterKeyId=None), requireCmk=True),
        fails("the key of AWS where one's own is asked for", *pair({"kmsMasterKeyId": BY_SQS}, {}), requireCmk=True),
        unknown("the key is unknown"),
        unknown("the switch is unknown", orders(kmsMasterKeyId=None, sqsManagedSseEnabled=UNKNOWN), waits=True),
        malformed("an empty key is none", orders(kmsMasterKeyId="", sqsManagedSseEnabled=False)),
    ],
    "sqs-dlq-encryption-parity": [
        passes("stronger than its source", orders(kmsMasterKeyId=None)),
        fails("SSE-SQS after a key", dead(kmsMasterKeyId=None)),
        fails("the subscription's, too", undelivered(kmsMasterKeyId=None)),
        fails("SSE-SQS after the key of AWS", *pair({"kmsMasterKeyId": BY_SQS}, {"kmsMasterKeyId": None})),
        fails("the key of AWS after one's own", dead(kmsMasterKeyId=BY_SQS)),
        unknown("an unknown key is a key", dead(kmsMasterKeyId=Ref("OrderKey-alias", "name"))),
        malformed("an empty key is none", dead(kmsMasterKeyId="")),
    ],
}
