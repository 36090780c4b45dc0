"""A user's stack files decide no test: with every setting changed, as the CLI writes them, lint and tests pass."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from config import StackConfig, key_of
from tests.defaults import DEFAULTS
from tools.recording.graph import stack_config
from tools.root import ROOT

LEFT_OUT = (".git", ".venv", "venv", "build", "__pycache__", ".*_cache", "*.png")
READERS = (
    *("tests/contract/test_promises.py", "tests/policy/test_pack_process.py"),
    *("tests/unit/test_bootstrap_permissions.py", "tests/unit/test_monitoring.py", "tests/unit/test_pipeline.py"),
)
"""The tests that could read the stack files, and need no cloud."""
SECRET = f"v1:{base64.b64encode(bytes(range(9, 21))).decode()}:{base64.b64encode(bytes(range(99, 131))).decode()}"
KEY = base64.b64encode(bytes(range(150, 250))).decode()


def other_values() -> Mapping[str, Any]:
    """For every setting a legal value that is not its default."""
    values: dict[str, Any] = {
        "alarmEmail": {"secure": SECRET},
        "alarmRunbook": "https://example.com/runbook",
        "batchSize": "77",
        "batchingWindow": "3",
        "permissionsBoundary": "arn:aws:iam::123456789012:policy/other-boundary",
        "protectData": "true",
    }
    for field in fields(StackConfig):
        rule = next(iter(field.metadata.values()))
        if key_of(field) not in values:
            default: Any = field.default
            choices = [choice for choice in rule.choices if choice != default]
            values[key_of(field)] = str(choices[-1] if choices else default + 7)
    return values


def rewrite(path: Path, config: Mapping[str, Any]) -> None:
    """Write a stack file in the CLI's manner: secrets provider and key first, every value a text."""
    lines = ["secretsprovider: awskms://1234abcd-12ab-34cd-56ef-1234567890ab?region=eu-west-1&context_stack=orders/x"]
    lines += [f"encryptedkey: {KEY}", "config:"]
    for key, value in config.items():
        if isinstance(value, str):
            lines.append(f"    {key}: {json.dumps(value)}")
        else:  # JSON is YAML, too
            lines += [f"    {key}:", *(f"        {name}: {json.dumps(part)}" for name, part in value.items())]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository like this one, whose user has changed everything that they may."""
    folder = tmp_path_factory.mktemp("own") / "orders"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for lock in folder.glob("requirements/*.txt"):
        os.utime(lock, (0, 0))  # older than the environment
    (folder / ".venv").symlink_to(ROOT / ".venv")
    for path in folder.glob("Pulumi.*.yaml"):
        tags = {"project": "orders", "stack": path.name.split(".")[1], "owner": "someone-else", "cost-centre": "4711"}
        settings = {f"orders:{key}": value for key, value in other_values().items()}
        rewrite(path, {"aws:defaultTags": {"tags": tags}, **settings})
    tags = {"project": "orders-bootstrap", "stack": "main", "owner": "someone-else"}
    config = {"aws:defaultTags": {"tags": tags}, "bootstrap:repository": "acme/orders"}
    rewrite(folder / "bootstrap/Pulumi.main.yaml", config)
    with (folder / "bootstrap/Pulumi.main.yaml").open("a") as file:
        file.write("    bootstrap:stacks:\n        - dev\n        - staging\n        - prod\n")
    for words in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    return folder


def test_every_setting_is_changed_in_every_stack(changed: Path) -> None:
    for path in changed.glob("Pulumi.*.yaml"):
        stack = path.name.split(".")[1]
        theirs = {key: text for key, text in stack_config(stack, changed)[1].items() if key.startswith("orders:")}
        assert theirs.keys() == DEFAULTS.keys() - {"orders:alarmEmail"}
        assert not [key for key, text in theirs.items() if DEFAULTS[key] == text]


def test_lint_passes(changed: Path) -> None:
    done = subprocess.run(["make", "lint"], cwd=changed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_that_could_read_the_files_pass(changed: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--exitfirst", *READERS]
    done = subprocess.run(command, cwd=changed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
