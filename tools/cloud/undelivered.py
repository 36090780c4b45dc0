"""What MiniStack lacks of SNS: what a queue refuses goes to the subscription's dead-letter queue."""

import json
import uuid
from collections.abc import Callable
from typing import Any


def keeping_undelivered(deliver: Callable[..., None], sns: Any, sqs: Any) -> Callable[..., None]:
    """Deliver to a queue, or where the subscription wants what its queue does not take.

    https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
    """

    def delivering(
        endpoint: str,
        envelope: str,
        raw: bool,  # noqa: FBT001 - as MiniStack calls it
        message: str,
        *,
        topic_arn: str = "",
        **more: Any,
    ) -> None:
        refusal = _refusal(sqs, endpoint, topic_arn)
        target = _dead_letter_queue(sns, topic_arn, endpoint) if refusal else ""
        if not target:
            deliver(endpoint, envelope, raw, message, topic_arn=topic_arn, **more)
            return
        told = {"RequestID": str(uuid.uuid4()), "ErrorCode": refusal, "ErrorMessage": f"{endpoint} refused it"}
        own = {name: {"DataType": "String", "StringValue": text} for name, text in told.items()}
        more["message_attributes"] = {**((more.get("message_attributes") or {}) if raw else {}), **own}
        body = message if raw else envelope
        deliver(target, body, True, body, topic_arn=topic_arn, **more)  # noqa: FBT003

    return delivering


def _refusal(sqs: Any, endpoint: str, topic_arn: str) -> str:
    """Why a queue does not take what a topic sends; empty if it does."""
    if not sqs._queue_by_arn(endpoint):  # noqa: SLF001 - MiniStack has no other name for it
        return "AWS.SimpleQueueService.NonExistentQueue"
    account = topic_arn.split(":")[4]
    return "" if sqs.queue_policy_allows(endpoint, "sns.amazonaws.com", topic_arn, account) else "AccessDenied"


def _dead_letter_queue(sns: Any, topic_arn: str, endpoint: str) -> str:
    """The ARN of the dead-letter queue of a topic's subscription; empty if it has none."""
    topic = sns._topic_by_arn_any_scope(topic_arn)  # noqa: SLF001 - MiniStack has no other name for it
    for each in topic["subscriptions"] if topic else ():
        if each.get("endpoint") == endpoint and (policy := each.get("attributes", {}).get("RedrivePolicy")):
            return str(json.loads(policy)["deadLetterTargetArn"])
    return ""
