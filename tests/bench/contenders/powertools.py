"""The handler as Powertools for AWS Lambda has it: partial failures, and one conditional put per message."""

import json
import os
from decimal import Decimal
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from boto3.dynamodb.conditions import Attr

logger = Logger(service="orders")
metrics = Metrics(namespace="orders", service="orders")
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def write(record: SQSRecord) -> None:
    """Write one order unless the table holds a newer one."""
    order = json.loads(record.body, parse_float=Decimal)
    newer = Attr("orderId").not_exists() | Attr("timestamp").lt(order["timestamp"])
    try:
        table.put_item(Item=order, ConditionExpression=newer)
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return


@metrics.log_metrics
@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Write the batch, log it once and count it."""
    answer = process_partial_response(event=event, record_handler=write, processor=processor, context=context)
    failed = len(answer["batchItemFailures"])
    metrics.add_metric(name="stored", unit=MetricUnit.Count, value=len(event["Records"]) - failed)
    logger.info("batch processed", records=len(event["Records"]), failed=failed)
    return answer
