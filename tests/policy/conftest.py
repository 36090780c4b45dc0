"""The policy pack's own process, started once: it keeps nothing between two runs but its configuration."""

from collections.abc import Iterator

import pytest
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tools.recording.pack import serve


@pytest.fixture(scope="session")
def analyzer() -> Iterator[AnalyzerStub]:
    with serve() as stub:
        yield stub
