"""The real Pulumi engine on a local cloud: `make engine` runs these tests, which need the CLI on the PATH."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.engine import Engine, started


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("ORDERS_ENGINE"):
        here = Path(__file__).parent
        reason = "needs the Pulumi CLI, and minutes: `make engine` runs it"
        for item in items:
            if item.path.is_relative_to(here):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One cloud, one backend and one copy of the project for the tests of a file."""
    with started(tmp_path_factory.mktemp("engine")) as running:
        yield running
