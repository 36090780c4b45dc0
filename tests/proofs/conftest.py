"""One cloud for the proofs in their short form: they change the function's environment and the queue's timeout."""

from collections.abc import Iterator

import pytest

from tests.defaults import LOCAL
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment


@pytest.fixture(scope="session")
def stressed() -> Iterator[Deployment]:
    """The local stack on a cloud of its own; each proof leaves it as it was, but for orders and dead letters."""
    with deployed(config=LOCAL) as running:
        yield running
