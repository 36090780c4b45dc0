"""The least that a function with boto3 can be: a client, and one put per message."""

import json
import os
from typing import Any

import boto3

client = boto3.client("dynamodb")


def lambda_handler(event: dict[str, Any], _context: Any) -> None:
    """Write every order of the batch."""
    for record in event["Records"]:
        order = json.loads(record["body"])
        item = {key: {"N": str(value)} if isinstance(value, int) else {"S": value} for key, value in order.items()}
        client.put_item(TableName=os.environ["TABLE_NAME"], Item=item)
