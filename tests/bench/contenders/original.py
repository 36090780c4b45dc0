"""The handler that the pipeline began with: one put per message, as it came."""

import json
import os
from decimal import Decimal
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def lambda_handler(event: dict[str, Any], _context: Any) -> None:
    """Write every order of the batch; an error fails the whole batch."""
    for record in event["Records"]:
        table.put_item(Item=json.loads(record["body"], parse_float=Decimal))
