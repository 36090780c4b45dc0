"""A copy of what runs on a local cloud, for tests that edit it."""

import shutil
from pathlib import Path

from tools.root import ROOT

PARTS = ("components", "docs/examples", "functions", "policy", "tools")
FILES = ("__main__.py", "config.py", "orders", "pyproject.toml", "Pulumi.yaml")
CONFIG = """\
config:
  aws:defaultTags:
    tags: { project: orders, stack: local, owner: orders-team }
  orders:functionTimeout: 1
  orders:maximumConcurrency: 2
  orders:logLevel: DEBUG
"""


def copied(folder: Path) -> Path:
    """Copy the parts into a folder, with a stack `local` of the tests' own."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("venv", "__pycache__"))
    for file in FILES:
        shutil.copy(ROOT / file, folder)
    (folder / "Pulumi.local.yaml").write_text(CONFIG)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder
