"""What holds orders or delivers them: by type, what is lost if it goes, and the safe way to change it."""

from collections.abc import Mapping
from dataclasses import dataclass

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
FUNCTION = "aws:lambda/function:Function"
KEY = "aws:kms/key:Key"
LOG_FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
TABLE = "aws:dynamodb/table:Table"
TOPIC = "aws:sns/topic:Topic"


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What a type means for orders."""

    deleted: str = ""
    """What happens to orders when one is deleted, as words that follow its name; empty: nothing."""
    replaced: str = ""
    """The same for a replacement, which creates another one and deletes this."""
    instead: str = ""
    """The safe way."""


ALIAS = "If only its name in the program changes, keep it: `aliases=[pulumi.Alias(name=OLD_NAME)]`."

HOLDINGS: Mapping[str, Holding] = {
    TABLE: Holding(
        deleted="every order in it is deleted",
        replaced="every order in it is deleted; the new table is empty",
        instead=f"{ALIAS} For another key, create the new table beside it, copy the orders, switch, and delete the "
        "old one in a later change. To hand it to another program, set `retain_on_delete` first, and import it there.",
    ),
    QUEUE: Holding(
        deleted="the orders waiting in it are lost",
        replaced="the orders waiting in it are lost",
        instead=f"{ALIAS} Else in two steps: add the new queue and let the old one run empty (`./orders status`; "
        "`dlq redrive` or `dlq export` for dead letters), then remove it in a later change.",
    ),
    TOPIC: Holding(
        deleted="what producers publish to it is refused, and its subscriptions end",
        replaced="its ARN changes: what producers publish to the old one is refused, and its subscriptions end",
        instead=f"{ALIAS} Else in two steps: add the new topic, move producers and subscriptions, then remove the old "
        "one in a later change.",
    ),
    SUBSCRIPTION: Holding(
        deleted="what is published from then on does not reach its queue",
        replaced="what is published between its deletion and the new one does not reach its queue",
        instead=f"{ALIAS} Else add the new subscription first, and remove the old one in a later change; an order that "
        "arrives twice is stored once.",
    ),
    KEY: Holding(
        deleted="it is scheduled for deletion, and then nothing that it encrypts can be read, backups included",
        replaced="it is scheduled for deletion, and then nothing that it encrypts can be read, backups included",
        instead=f"{ALIAS} Else add the new key, move every user of the old one to it, and leave the old one in place "
        "until nothing that it encrypts is needed.",
    ),
    LOG_GROUP: Holding(
        deleted="the log lines that say why orders failed are deleted",
        replaced="the log lines that say why orders failed are deleted",
        instead=f"{ALIAS} Else export the lines that are needed first (`./orders tail`).",
    ),
    MAPPING: Holding(
        deleted="nothing reads the queue any more; orders expire in it at the end of its retention",
        instead="Keep it. To stop for a while, have somebody watch the age of the oldest message.",
    ),
    FUNCTION: Holding(
        deleted="nothing stores orders any more; they go to the dead-letter queue or expire",
        instead=ALIAS,
    ),
    QUEUE_POLICY: Holding(
        deleted="whom it lets in may not send to the queue any more, and SNS does not try again",
        instead=ALIAS,
    ),
    ALARM: Holding(
        deleted="nobody is told any more when what it watches goes wrong",
        instead="Keep it, or raise its threshold. If another alarm takes its place, say so in the allowance.",
    ),
    LOG_FILTER: Holding(
        deleted="the alarms that watch its count fall silent",
        instead=ALIAS,
    ),
    **dict.fromkeys(
        (
            "aws:cloudwatch/dashboard:Dashboard",
            "aws:iam/role:Role",
            "aws:iam/rolePolicy:RolePolicy",
            "aws:kms/alias:Alias",
            "aws:sns/topicPolicy:TopicPolicy",
            "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
        ),
        Holding(),  # what they say can be said again, and whoever needs them waits or retries
    ),
}
"""By type token; a type of AWS that is missing counts as one that holds orders, until somebody decides."""

UNDECIDED = Holding(
    deleted="whether it holds orders has not been decided",
    replaced="whether it holds orders has not been decided",
    instead="Add its type to `HOLDINGS` in `tools/review/holdings.py`, with what would be lost.",
)


def holding_of(type_: str, *, custom: bool) -> Holding:
    """What a type means for orders; a component and a provider are no thing of their own."""
    if not custom or type_.startswith("pulumi:"):
        return Holding()
    return HOLDINGS.get(type_, UNDECIDED)
