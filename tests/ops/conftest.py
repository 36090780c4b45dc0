"""What the tests of the operator's commands share: a way to run one, and a cloud with dead-letter queues of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.defaults import LOCAL
from tests.ops.cloud import Command, Own, Result, empty, hasten
from tools.__main__ import main
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `./orders` in this process."""

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        status = main(list(arguments))
        captured = capsys.readouterr()
        return Result(status=status, out=captured.out, err=captured.err)

    return run


@pytest.fixture(scope="session")
def outputs(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The addresses of the shared cloud, as `./orders local --no-page --outputs FILE` writes them."""
    return written(deployment, tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Deployment, Path]]:
    """A cloud whose dead-letter queues are these tests' own, and whose messages fail once before they are there.

    Its function has time on a busy machine, because what it misses is a dead letter at once.
    """
    with deployed(config={**LOCAL, "orders:logLevel": "INFO", "orders:functionTimeout": "5"}) as deployment:
        hasten(deployment.client("sqs"), deployment.outputs["queueUrl"], seconds=6)
        yield deployment, written(deployment, tmp_path_factory.mktemp("own"))


@pytest.fixture
def letters(own: tuple[Deployment, Path]) -> Iterator[Own]:
    """A cloud with empty dead-letter queues, and the file of its addresses."""
    deployment, path = own
    empty(deployment)
    yield deployment, str(path)
    empty(deployment)


def written(deployment: Deployment, folder: Path) -> Path:
    path = folder / "outputs.json"
    path.write_text(json.dumps(deployment.addresses()))
    return path
