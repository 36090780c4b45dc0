"""What the tests of the operator's commands share: a way to run one, and empty dead-letter queues."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import tools.ops.stack
from tests.ops.cloud import Command, Result, empty, shared_clients
from tools.__main__ import main
from tools.cloud.deployment import Deployment


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `./orders` in this process."""
    monkeypatch.setattr(tools.ops.stack, "local_clients", shared_clients)

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        status = main(list(arguments))
        captured = capsys.readouterr()
        return Result(status=status, out=captured.out, err=captured.err)

    return run


@pytest.fixture(scope="session")
def outputs(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The addresses of the shared cloud, as `./orders local --no-page --outputs FILE` writes them."""
    path = tmp_path_factory.mktemp("shared") / "outputs.json"
    path.write_text(json.dumps(deployment.addresses()))
    return path


@pytest.fixture
def operate(command: Command, outputs: Path) -> Command:
    """Runs `./orders` on the shared cloud."""
    return lambda *arguments: command(*arguments, "--outputs", str(outputs))


@pytest.fixture
def letters(deployment: Deployment) -> Iterator[Deployment]:
    """The shared cloud with empty dead-letter queues."""
    empty(deployment)
    yield deployment
    empty(deployment)
