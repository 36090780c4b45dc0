"""What several suites share: one local cloud and one process of the policy pack for the whole run."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A slow machine is not a wrong program: no case has a time limit of its own. The proofs have many more cases.
settings.register_profile("untimed", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def deployment() -> Iterator[Any]:
    """The real program on the real local cloud, started by the first test that asks for it."""
    from tests.defaults import LOCAL  # here, because the process that deals out the tests needs none of this
    from tools.cloud.deploy import deployed

    with deployed(config=LOCAL) as running:
        yield running


@pytest.fixture(scope="session")
def analyzer() -> Iterator[Any]:
    """The policy pack's own process: it keeps nothing between two runs but its configuration."""
    from tools.recording.pack import serve

    with serve() as stub:
        yield stub
