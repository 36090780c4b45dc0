"""A copy of the project, for tests that edit it or run what was edited."""

import shutil
import subprocess
from pathlib import Path

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
