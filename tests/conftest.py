"""What several suites share: one local cloud and one process of the policy pack for the whole run."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tests.defaults import LOCAL
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment
from tools.recording.pack import serve

# A slow machine is not a wrong program: no case has a time limit of its own. The proofs have many more cases.
settings.register_profile("untimed", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def deployment() -> Iterator[Deployment]:
    """The real program on the real local cloud, started by the first test that asks for it."""
    with deployed(config=LOCAL) as running:
        yield running


@pytest.fixture(scope="session")
def analyzer() -> Iterator[AnalyzerStub]:
    """The policy pack's own process: it keeps nothing between two runs but its configuration."""
    with serve() as stub:
        yield stub
