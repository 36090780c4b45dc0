"""The way to DynamoDB: quiet, quick to give up, and spared the work that the store has done already."""

import logging
from collections.abc import Callable
from typing import Any

import botocore
import botocore.session
from botocore.config import Config

CONNECT_TIMEOUT, READ_TIMEOUT = 1, 2
"""Seconds. A call that hangs is given up by then; the store tries it again."""


def connect(connections: int) -> Callable[[str], Any]:
    """Make the function that sends a BatchExecuteStatement request, spelled in JSON, and returns DynamoDB's answer."""
    _silence()
    # boto3 would give the same client after importing what S3 needs, a tenth of a cold start.
    client = botocore.session.get_session().create_client("dynamodb", config=settings(connections))
    client.meta.events.register("provide-client-params.dynamodb.BatchExecuteStatement", _set_aside)
    client.meta.events.register("before-call.dynamodb.BatchExecuteStatement", _put_back)
    return lambda request: client.batch_execute_statement(request=request)


def settings(connections: int) -> Config:
    """Leave retries to the store, and keep so many connections."""
    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 1},
        parameter_validation=False,
        max_pool_connections=connections,
        tcp_keepalive=True,
        # Building the usual one takes a fifth of a call.
        user_agent=f"order-notifications Botocore/{botocore.__version__}",
    )


def _silence() -> None:
    """Keep payloads and the session token out of the log.

    Lambda sets the root logger to the function's level, and at DEBUG botocore logs every statement with its parameters
    and every header. urllib3 quotes headers in warnings, and warns of the connections that a hanging call leaves.
    https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
    """
    logging.getLogger("botocore").setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def _set_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Spare botocore its walk over the statements, the larger half of a call: they are in DynamoDB's JSON already."""
    context["request"] = params["request"]
    return {"Statements": []}


def _put_back(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = context["request"].encode()
