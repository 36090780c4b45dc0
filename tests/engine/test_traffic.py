"""What the engine of today sends the pack is what is recorded in the files that hold the recorder to it."""

import json

from tests.engine.engine import Engine
from tests.engine.record import FOLDER, runs
from tests.policy.test_faithful import alone, evened, together


def test_the_recordings_are_what_the_engine_sends(engine: Engine) -> None:
    """`python -m tests.engine.record` brings them up to date."""
    for name, calls in runs(engine):
        recorded = [(call["call"], call["request"]) for call in json.loads((FOLDER / f"{name}.json").read_text())]
        sent = [(call["call"], call["request"]) for call in calls]
        assert sorted(call for call, _ in sent) == sorted(call for call, _ in recorded)
        for part in (alone, together):
            assert part(sent).keys() == part(recorded).keys()
            for urn, request in part(recorded).items():
                assert evened(part(sent)[urn], preview=False) == evened(request, preview=False)
