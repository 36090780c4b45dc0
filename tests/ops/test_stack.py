"""Where a stack is: from a file or from Pulumi, and for the local cloud from nowhere else."""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.commands import fake
from tests.ops.cloud import Command
from tools.cloud.deployment import Deployment
from tools.ops.stack import EXPORTS, connect


def saved(folder: Path, document: object) -> str:
    path = folder / "outputs.json"
    path.write_text(json.dumps(document))
    return str(path)


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which any AWS setting that is read leads astray."""
    for name, value in {
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "wrong",
        "AWS_SECRET_ACCESS_KEY": "wrong",
        "AWS_SESSION_TOKEN": "wrong",
        "AWS_REGION": "nowhere-1",
        "AWS_DEFAULT_REGION": "nowhere-1",
        "AWS_CA_BUNDLE": "/nowhere",
        "REQUESTS_CA_BUNDLE": "/nowhere",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("hostile")
def test_the_local_cloud_is_reached_by_its_file_alone(command: Command, outputs: Path) -> None:
    assert command("status", "--outputs", str(outputs), "--json").json()["region"] == "eu-west-1"


def test_saved_outputs_use_the_usual_credentials_and_the_region_of_the_outputs(
    command: Command, deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = deployment.cloud
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(cloud.ca_bundle))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", cloud.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", cloud.secret_access_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    shown = command("status", "--outputs", saved(tmp_path, dict(deployment.outputs)), "--json")
    assert shown.json()["region"] == "eu-west-1"
    assert shown.json()["table"]["state"] == "ACTIVE"


def test_a_stack_of_pulumis_is_asked_for_by_name(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    fake(tmp_path, "pulumi", f"echo \"$@\" > {said}\ncat <<'END'\n{json.dumps(dict(deployment.outputs))}\nEND")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    stack = connect(stack="prod", outputs=None)
    assert stack["queueUrl"] == deployment.outputs["queueUrl"]
    assert said.read_text().split() == ["stack", "output", "--json", "--non-interactive", "--stack", "prod"]


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ([1], "must be a JSON object"),
        ({}, f"must hold {', '.join(EXPORTS)}, but does not"),
        ({"topicArn": "arn"}, "must hold queueUrl,"),
        ({"endpoint": "https://127.0.0.1:1"}, "must hold region, caBundle, accessKeyId, secretAccessKey, outputs"),
    ],
)
def test_outputs_that_are_not_a_stacks_are_refused(
    command: Command, tmp_path: Path, document: object, rule: str
) -> None:
    shown = command("status", "--outputs", saved(tmp_path, document))
    assert (shown.status, shown.out) == (2, "")
    assert rule in shown.err


def test_a_local_file_with_an_endpoint_elsewhere_is_refused(
    command: Command, deployment: Deployment, tmp_path: Path
) -> None:
    for endpoint in ("https://sqs.eu-west-1.amazonaws.com", "https://127.0.0.1.example.com", "https://10.0.0.1:4566"):
        shown = command("status", "--outputs", saved(tmp_path, {**deployment.addresses(), "endpoint": endpoint}))
        assert shown.status == 2
        assert f"must be on this machine, got {endpoint}" in shown.err


def test_a_cloud_that_has_gone_is_status_3(command: Command, deployment: Deployment, tmp_path: Path) -> None:
    gone = saved(tmp_path, {**deployment.addresses(), "caBundle": str(tmp_path / "gone.pem")})
    shown = command("status", "--outputs", gone)
    assert shown.status == 3
    assert f"start it with `./orders local --no-page --outputs {gone}`" in shown.err


def test_no_connection_is_status_3_and_soon(command: Command, deployment: Deployment, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"https://127.0.0.1:{unused.getsockname()[1]}"
        started = time.monotonic()
        shown = command("dlq", "list", "--outputs", saved(tmp_path, {**deployment.addresses(), "endpoint": endpoint}))
    assert shown.status == 3
    assert "must answer" in shown.err
    assert time.monotonic() - started < 20


def test_outputs_of_a_stack_that_was_deleted_are_status_3(
    command: Command, deployment: Deployment, tmp_path: Path
) -> None:
    addresses = deployment.addresses()
    addresses["outputs"] = {**addresses["outputs"], "tableName": "Gone"}
    shown = command("trace", "O1", "--outputs", saved(tmp_path, addresses))
    assert shown.status == 3
    assert "Are these the current outputs" in shown.err


def test_wrong_credentials_are_status_3(command: Command, deployment: Deployment, tmp_path: Path) -> None:
    addresses = {**deployment.addresses(), "accessKeyId": "AKIANOBODY0000000000"}
    shown = command("status", "--outputs", saved(tmp_path, addresses))
    assert (shown.status, shown.out) == (3, "")
    assert "must succeed, but AWS answered" in shown.err


def user_of(deployment: Deployment, statements: list[dict[str, Any]]) -> dict[str, Any]:
    """Credentials of a new user who may do so much and no more."""
    iam = deployment.client("iam")
    name = f"operator-{time.monotonic_ns()}"
    iam.create_user(UserName=name)
    document = {"Version": "2012-10-17", "Statement": statements}
    iam.put_user_policy(UserName=name, PolicyName="some", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}
