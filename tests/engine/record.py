"""Records what the Pulumi engine sends to the policy pack: `python -m tests.engine.record`, with a CLI on the PATH.

The recordings hold the recorder, and the pack, to the engine where no CLI is at hand.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.engine import practising
from recording.graph import ROOT, stack_config

FOLDER = ROOT / "tests/policy/engine"
STACK = "dev"
RUNS: Mapping[str, Sequence[str]] = {
    "preview-of-a-new-stack": ("preview",),
    "first-update": ("up", "--yes", "--skip-preview"),
    "preview-without-changes": ("preview",),
    "preview-of-functionTimeout-60": ("preview", "-c", "orders:functionTimeout=60"),
}
"""Each on what the one before it has left."""
CALLS = ("ConfigureStack", "Configure", "Analyze", "AnalyzeStack")


def project(folder: Path) -> Path:
    """A copy of the program and the pack whose stack `dev` sets nothing: what a user's files say decides no test."""
    kept = ("__main__.py", "config.py", "Pulumi.yaml", "components", "functions", "policy", "requirements.txt")
    for name in kept:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "venv"), symlinks=True)
        else:
            shutil.copy(source, folder)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / "policy/venv").symlink_to(ROOT / "policy/venv")
    tags = "{ project: orders, stack: dev, owner: orders-team }"
    (folder / f"Pulumi.{STACK}.yaml").write_text(f"config:\n  aws:defaultTags:\n    tags: {tags}\n")
    return folder


def traffic(log: Path) -> Iterator[dict[str, Any]]:
    """The calls on the pack in a log of the engine's calls, in the order of their answers."""
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        service, _, call = entry["method"].removeprefix("/pulumirpc.").partition("/")
        if service == "Analyzer" and call in CALLS and "response" in entry:
            yield {"call": call, "request": entry["request"], "response": entry["response"]}


def runs(folder: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each run, by name, with its calls on the pack."""
    region = stack_config(STACK, folder)[1]["aws:region"]
    with practising(region=region, root=folder) as environment:
        for name, words in RUNS.items():
            log = folder / f"{name}.log"
            command = ["pulumi", *words, "--stack", STACK, "--policy-pack", "policy", "--non-interactive"]
            done = subprocess.run(
                command,
                cwd=folder,
                env={**environment, "PULUMI_DEBUG_GRPC": str(log)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            yield name, [without_paths(call) for call in traffic(log)]


def without_paths(call: dict[str, Any]) -> dict[str, Any]:
    """A call without the archive, which names files of this machine and their content of the day."""
    for resource in (call["request"], *call["request"].get("resources", ())):
        if "code" in resource.get("properties", {}):
            resource["properties"]["code"] = {}
    return call


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, calls in runs(project(Path(folder))):
            lines = ",\n".join(json.dumps(call, sort_keys=True) for call in calls)
            (FOLDER / f"{name}.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
