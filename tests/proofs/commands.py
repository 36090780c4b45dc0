"""Runs the operator's commands against a deployment, as the operator does."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.cloud.deploy import written_addresses
from tools.cloud.deployment import Deployment
from tools.root import ROOT


class CommandError(Exception):
    """A command of the operator did not do what it was asked to."""


def operate(deployment: Deployment, *arguments: str) -> Any:
    """Run `./orders` with `--json` among its arguments and return its answer. Raises CommandError if it fails."""
    done = command(deployment, *arguments)
    if done.returncode != 0:
        raise CommandError(f"`ops {' '.join(arguments)}` ended with {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def command(deployment: Deployment, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `./orders` and return what it printed."""
    path = Path(deployment.cloud.folder) / "addresses.json"
    with written_addresses(deployment, path):
        return subprocess.run(
            [sys.executable, "-m", "tools", "--outputs", str(path), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
