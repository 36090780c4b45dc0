"""The fault proxy passes calls on as they were signed, and fails them in every way it promises."""

import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.proofs.proxy import SHARES, FaultProxy, between_function_and_table
from tools.cloud.deployment import Deployment

STATEMENTS = [{"Statement": 'SELECT * FROM "Orders" WHERE "orderId" = \'nobody\''}] * 3


def through(deployment: Deployment, proxy: FaultProxy, *, key: str = "") -> Any:
    cloud = deployment.cloud
    return boto3.client(
        "dynamodb",
        endpoint_url=proxy.url,
        region_name=cloud.region,
        aws_access_key_id=key or cloud.access_key_id,
        aws_secret_access_key=cloud.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_an_unharmed_call_is_answered_and_a_stranger_is_still_refused(deployment: Deployment) -> None:
    with between_function_and_table(deployment, seed=1) as proxy:
        answer = through(deployment, proxy).batch_execute_statement(Statements=STATEMENTS)
        assert len(answer["Responses"]) == len(STATEMENTS)
        assert proxy.counts == {"calls": 1}
        with pytest.raises(ClientError, match="security token"):
            through(deployment, proxy, key="AKIANOBODY0000000000").batch_execute_statement(Statements=STATEMENTS)


def ending(client: Any) -> str:
    """How a call ends, in one word."""
    try:
        answer = client.batch_execute_statement(Statements=STATEMENTS)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return "server" if status >= 500 else str(error.response["Error"]["Code"])
    except BotoCoreError as error:
        return type(error).__name__
    return "partly" if "Error" in answer["Responses"][0] and "Error" not in answer["Responses"][1] else "answered"


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("throttled", "ThrottlingException"),
        ("server error", "server"),
        ("connection reset", "ConnectionClosedError"),
        ("statement error", "partly"),
        ("slow answer", "answered"),
        ("hang past the deadline", "answered"),
    ],
)
def test_each_kind_of_fault_ends_a_call_in_its_own_way(deployment: Deployment, kind: str, how: str) -> None:
    with between_function_and_table(deployment, seed=2) as proxy:
        proxy.rate, proxy.shares, proxy.slow, proxy.hang = 1.0, {kind: SHARES[kind]}, (0.1, 0.1), (0.2, 0.2)
        client, started = through(deployment, proxy), time.monotonic()
        assert [ending(client) for _ in range(6)] == [how] * 6
        assert proxy.counts == {"calls": 6, kind: 6}
    if how == "answered":
        assert time.monotonic() - started > 6 * 0.1
