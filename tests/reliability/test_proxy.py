"""The fault proxy passes calls on as they were signed, and fails them in every way it promises."""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.deploy import Deployment
from reliability.proxy import SHARES, FaultProxy, between_function_and_table

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


def test_an_unharmed_call_is_answered_and_a_stranger_is_still_refused(stressed: Deployment) -> None:
    with between_function_and_table(stressed, seed=1) as proxy:
        answer = through(stressed, proxy).batch_execute_statement(Statements=STATEMENTS)
        assert len(answer["Responses"]) == len(STATEMENTS)
        assert proxy.counts == {"calls": 1}
        with pytest.raises(ClientError, match="security token"):
            through(stressed, proxy, key="AKIANOBODY0000000000").batch_execute_statement(Statements=STATEMENTS)


def test_every_kind_of_fault_occurs_and_no_other(stressed: Deployment) -> None:
    failed = 0
    with between_function_and_table(stressed, seed=2) as proxy:
        client = through(stressed, proxy)
        proxy.rate, proxy.slow, proxy.hang = 1.0, (0.0, 0.0), (0.0, 0.0)
        for _ in range(60):
            try:
                answer = client.batch_execute_statement(Statements=STATEMENTS)
                failed += "Error" in answer["Responses"][0]
            except (ClientError, BotoCoreError):
                failed += 1
        assert proxy.counts.keys() == {"calls", *SHARES}
    assert failed > 10


def test_the_function_finds_its_own_endpoint_again(stressed: Deployment) -> None:
    def variables() -> Any:
        functions = stressed.client("lambda")
        return functions.get_function_configuration(FunctionName="ProcessOrder")["Environment"]["Variables"]

    before = variables()
    with between_function_and_table(stressed, seed=3) as proxy:
        assert variables() == {**before, "AWS_ENDPOINT_URL_DYNAMODB": proxy.url}
    assert variables() == before
