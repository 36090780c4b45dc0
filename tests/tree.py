"""A copy of the project, for tests that edit it or run what was edited."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

import psutil

from tools.root import ROOT

CONFIG = """\
config:
  aws:defaultTags:
    tags: { project: orders, stack: local, owner: orders-team }
  orders:functionTimeout: 1
  orders:maximumConcurrency: 2
  orders:logLevel: DEBUG
"""


def copied(root: Path) -> Path:
    """Copy all files but those that git ignores, with a stack `local` of the tests' own, into a folder; the folder."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    (root / "Pulumi.local.yaml").write_text(CONFIG)
    (root / ".venv").symlink_to(ROOT / ".venv")
    return root


def start(root: Path, temporary: Path, *arguments: str, out: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start `./orders` of a copy of the project, with temporary files of its own."""
    temporary.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "tools", *arguments],
        cwd=root,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        stdout=out,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_using(folder: Path) -> list[psutil.Process]:
    """The processes that know of a folder through their arguments."""
    found = psutil.process_iter(["cmdline"])
    return [each for each in found if any(str(folder) in argument for argument in each.info["cmdline"] or ())]
