"""SQS events of orders that no one has seen before, and what Lambda gives beside them."""

import itertools
import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

_numbers = itertools.count()
DAY = datetime(2025, 6, 1, 8, 0, tzinfo=UTC)
QUEUE = "arn:aws:sqs:us-east-1:123456789012:OrderQueue"


@dataclass(frozen=True)
class Context:
    """What handlers read of Lambda's context."""

    function_name: str = "ProcessOrder"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:ProcessOrder"
    aws_request_id: str = "5a5f2b64-9e55-4f3c-8f1a-0d4f0c6d4f11"
    until: float = field(default_factory=lambda: time.monotonic() + 300)

    def get_remaining_time_in_millis(self) -> int:
        """Tell the time until the function would be stopped."""
        return int((self.until - time.monotonic()) * 1000)


def order_body() -> str:
    """Spell the next new order: the contract's six attributes, about 150 bytes."""
    number = next(_numbers)
    return json.dumps(
        {
            "orderId": f"O{number:010}",
            "userId": f"U{number % 997:03}",
            "itemName": "Laptop",
            "quantity": 1 + number % 9,
            "status": "new",
            "timestamp": (DAY + timedelta(milliseconds=number)).isoformat().replace("+00:00", "Z"),
        }
    )


def sqs_event(records: int) -> dict[str, Any]:
    """Make the event of a batch with all that SQS sends beside the bodies."""
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" * 6,
                "body": order_body(),
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1748764800000",
                    "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
                    "ApproximateFirstReceiveTimestamp": "1748764800012",
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": QUEUE,
                "awsRegion": "us-east-1",
            }
            for _ in range(records)
        ]
    }
