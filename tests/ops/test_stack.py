"""Where a stack is: from a file or from Pulumi, and for the local cloud from nowhere else."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.commands import fake
from tests.ops.cloud import Command, shared_clients
from tools.cloud.deployment import Deployment
from tools.ops.stack import EXPORTS, connect


def saved(folder: Path, document: object) -> str:
    path = folder / "outputs.json"
    path.write_text(json.dumps(document))
    return str(path)


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment in which any AWS setting that is read leads astray."""
    (tmp_path / "endpoints.json").write_text("{}")
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
        "AWS_DATA_PATH": str(tmp_path),
        "REQUESTS_CA_BUNDLE": "/nowhere",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    shared_clients.cache_clear()  # they were made before


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
        ({"endpoint": "https://127.0.0.1:1"}, "must hold region, caBundle, accessKeyId, secretAccessKey, outputs"),
    ],
)
def test_outputs_that_are_not_a_stacks_are_refused(
    command: Command, tmp_path: Path, document: object, rule: str
) -> None:
    shown = command("status", "--outputs", saved(tmp_path, document))
    assert (shown.status, shown.out) == (2, "")
    assert rule in shown.err


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"endpoint": "https://127.0.0.1.example.com"}, 2, "must be on this machine, got https://127.0.0.1.ex"),
        ({"caBundle": "gone.pem"}, 3, "start it with `./orders local --no-page --outputs {path}`"),
        ({"endpoint": "https://127.0.0.1:1"}, 3, "must answer"),
        ({"accessKeyId": "AKIANOBODY0000000000"}, 3, "must succeed, but AWS answered"),
        ({"tableName": "Gone"}, 3, "Are these the current outputs"),
    ],
)
def test_addresses_that_do_not_lead_to_the_stack_are_told_soon(
    command: Command, deployment: Deployment, tmp_path: Path, change: dict[str, str], status: int, told: str
) -> None:
    addresses = {**deployment.addresses(), **change}
    path = saved(tmp_path, {**addresses, "outputs": {**addresses["outputs"], **change}})
    started = time.monotonic()
    shown = command("trace", "O1", "--outputs", path)
    assert (shown.status, shown.out) == (status, "")
    assert told.format(path=path) in shown.err
    assert time.monotonic() - started < 20


def user_of(deployment: Deployment, statements: list[dict[str, Any]]) -> dict[str, Any]:
    """Credentials of a new user who may do so much and no more."""
    iam = deployment.client("iam")
    name = f"operator-{time.monotonic_ns()}"
    iam.create_user(UserName=name)
    document = {"Version": "2012-10-17", "Statement": statements}
    iam.put_user_policy(UserName=name, PolicyName="some", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}
