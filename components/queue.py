"""A queue subscribed to a topic, with its dead-letter queue and the policies of both."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import sns, sqs

from components.account import Account
from components.policies import accepts_from_topic, policy_document, tls_only


@dataclass(frozen=True, kw_only=True)
class QueueArgs:
    account: Account
    topic_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    """Customer-managed KMS key, for the queue and its dead-letter queue."""
    visibility_timeout: int
    """Seconds a received message stays hidden from other consumers, 0 to 43200."""
    max_receive_count: int = 3
    """Receives before a message moves to the dead-letter queue, 1 to 1000."""
    undelivered_arn: pulumi.Input[str] | None = None
    """Queue for messages that SNS cannot deliver to this one; None: its own dead-letter queue."""
    retention: int = 4 * 24 * 3600
    """Seconds a message waits for a consumer, 60 to 1209600; less than the dead-letter queue's 14 days, because a
    moved message keeps its first timestamp."""
    filter_policy: dict[str, Any] | None = None
    """Message attributes an event must have to reach this queue; None: every event."""
    protected: bool = False
    """Refuse to delete the queue and its dead-letter queue, with the orders in them, and what fills it."""


class Queue(pulumi.ComponentResource):
    """A consumer's queue: filled by one topic only, emptied into its dead-letter queue after too many receives."""

    def __init__(self, name: str, args: QueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Queue", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        keeps_undelivered = args.undelivered_arn is None
        dead_letters = dead_letter_queue(
            f"{name}-dlq",
            args.account,
            args.key_arn,
            child,
            topic_arn=args.topic_arn if keeps_undelivered else None,
            protected=args.protected,
        )
        dead_letters_arn = args.account.arn("sqs", dead_letters.name)
        undelivered_arn = dead_letters_arn if keeps_undelivered else args.undelivered_arn
        queue = sqs.Queue(
            name,
            visibility_timeout_seconds=args.visibility_timeout,
            message_retention_seconds=args.retention,
            receive_wait_time_seconds=20,  # long polling: an idle queue costs the fewest requests
            kms_master_key_id=args.key_arn,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": args.max_receive_count}
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protected),
        )
        arn = args.account.arn("sqs", queue.name)
        # The two queues name each other, so this side of the pair is a resource of its own.
        sqs.RedriveAllowPolicy(
            f"{name}-redrive-allow",
            queue_url=dead_letters.url,
            redrive_allow_policy=pulumi.Output.json_dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn]}),
            opts=child,
        )
        accepting = sqs.QueuePolicy(
            f"{name}-policy",
            queue_url=queue.url,
            policy=policy_document(accepts_from_topic(arn, args.topic_arn), tls_only(arn)),
            opts=child,
        )
        sns.TopicSubscription(
            f"{name}-subscription",
            topic=args.topic_arn,
            protocol="sqs",
            endpoint=arn,
            raw_message_delivery=True,
            filter_policy=None if args.filter_policy is None else pulumi.Output.json_dumps(args.filter_policy),
            redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": undelivered_arn}),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[accepting], protect=args.protected),
        )
        self.url, self.arn, self.name = queue.url, arn, queue.name
        self.dead_letter_queue_url, self.dead_letter_queue_name = dead_letters.url, dead_letters.name
        self.label, self.visibility_timeout = name, args.visibility_timeout  # operators call it by this name
        self.register_outputs({"url": self.url, "deadLetterQueueUrl": self.dead_letter_queue_url})

    @property
    def addresses(self) -> dict[str, pulumi.Input[str]]:
        """What operators' commands have to know of it."""
        return {"name": self.label, "url": self.url, "deadLetterQueueUrl": self.dead_letter_queue_url}


def dead_letter_queue(
    name: str,
    account: Account,
    key_arn: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
    *,
    protected: bool,
    topic_arn: pulumi.Input[str] | None = None,
) -> sqs.Queue:
    """A queue that keeps what could not be delivered or processed for as long as SQS can.

    SQS moves messages here by itself; SNS needs to be let in, for `topic_arn`.
    """
    queue = sqs.Queue(
        name,
        message_retention_seconds=14 * 24 * 3600,
        kms_master_key_id=key_arn,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=protected)),
    )
    arn = account.arn("sqs", queue.name)
    senders = [] if topic_arn is None else [accepts_from_topic(arn, topic_arn)]
    sqs.QueuePolicy(f"{name}-policy", queue_url=queue.url, policy=policy_document(*senders, tls_only(arn)), opts=opts)
    return queue
