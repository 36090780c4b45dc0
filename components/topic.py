"""The topic that order events are published to, and the dead-letter queue of its subscriptions."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import sns

from components.account import Account
from components.policies import policy_document, tls_only
from components.queue import dead_letter_queue


@dataclass(frozen=True, kw_only=True)
class TopicArgs:
    key_arn: pulumi.Input[str]
    account: Account
    """The only account that may publish; within it, whoever its IAM policies allow."""
    protected: bool = False
    """Refuse to delete the topic, and the dead-letter queue with the orders in it."""


class Topic(pulumi.ComponentResource):
    """An encrypted topic that only the account may publish to, over TLS, and a queue for what it cannot deliver."""

    def __init__(self, name: str, args: TopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Topic", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        topic = sns.Topic(
            name,
            kms_master_key_id=args.key_arn,
            tracing_config="Active",
            opts=pulumi.ResourceOptions(parent=self, protect=args.protected),
        )
        arn = args.account.arn("sns", topic.name)
        sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=policy_document(
                {
                    "Sid": "AccountPublishes",
                    "Effect": "Allow",
                    "Principal": {"AWS": args.account.root_arn},
                    "Action": "sns:Publish",
                    "Resource": arn,
                },
                tls_only(arn, "sns:Publish"),
            ),
            opts=child,
        )
        # A subscription's dead-letter queue is a queue of its own: its messages have another shape than the
        # consumer's dead letters, and StartMessageMoveTask refuses a queue that SNS fills.
        # https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
        dead_letters = dead_letter_queue(
            f"{name}-dlq", args.account, args.key_arn, child, topic_arn=arn, protected=args.protected
        )
        self.arn, self.name = arn, topic.name
        self.dead_letter_queue_url = dead_letters.url
        self.dead_letter_queue_arn = args.account.arn("sqs", dead_letters.name)
        self.dead_letter_queue_name = dead_letters.name
        self.register_outputs({"arn": self.arn, "deadLetterQueueUrl": self.dead_letter_queue_url})
