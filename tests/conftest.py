"""What several suites share: one local cloud for the whole run."""

from collections.abc import Iterator

import pytest

from tests.defaults import LOCAL
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment


@pytest.fixture(scope="session")
def deployment() -> Iterator[Deployment]:
    """The real program on the real local cloud, started by the first test that asks for it."""
    with deployed(config=LOCAL) as running:
        yield running
