"""Records what the Pulumi engine sends to the policy pack: `python -m tests.engine.record`, with a CLI on the PATH.

The recordings hold the recorder, and the pack, to the engine where no CLI is at hand.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.engine.engine import Engine, started
from tools.root import ROOT

FOLDER = ROOT / "tests/policy/engine"
RUNS: Mapping[str, Sequence[str]] = {
    "preview-of-a-new-stack": ("preview",),
    "first-update": ("up", "--yes", "--skip-preview"),
    "preview-without-changes": ("preview",),
    "preview-of-functionTimeout-60": ("preview", "-c", "orders:functionTimeout=60"),
}
"""Each on what the one before it has left."""
CALLS = ("ConfigureStack", "Configure", "Analyze", "AnalyzeStack")


def traffic(log: Path) -> Iterator[dict[str, Any]]:
    """The calls on the pack in a log of the engine's calls, in the order of their answers."""
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        service, _, call = entry["method"].removeprefix("/pulumirpc.").partition("/")
        if service == "Analyzer" and call in CALLS and "response" in entry:
            yield {"call": call, "request": entry["request"], "response": entry["response"]}


def runs(engine: Engine) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each run, by name, with its calls on the pack."""
    for name, (command, *words) in RUNS.items():
        log = engine.folder / f"{name}.log"
        engine.pulumi(command, "dev", "--policy-pack", "policy", *words, PULUMI_DEBUG_GRPC=str(log))
        yield name, [without_paths(call) for call in traffic(log)]


def without_paths(call: dict[str, Any]) -> dict[str, Any]:
    """A call without the archive, which names files of this machine and their content of the day."""
    for resource in (call["request"], *call["request"].get("resources", ())):
        if "code" in resource.get("properties", {}):
            resource["properties"]["code"] = {}
    return call


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as engine:
        for name, calls in runs(engine):
            lines = ",\n".join(json.dumps(call, sort_keys=True) for call in calls)
            (FOLDER / f"{name}.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
