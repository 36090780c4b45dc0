"""Each recipe of the two pages of changes works: made on a copy of the project, the tests that speak of it hold."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recipes import PAGE, Edit, recipe
from tests.tree import copied

CONTRACT = """
import json
from functions.process_order.orders import Rejected, parse
from tools.cloud.traffic import make_traffic
from tools.ops.publish import generate
from tools.ops.verify import expected

[body] = generate(1)
assert parse(body).item["currency"] == {"S": "EUR"}
assert expected(list(generate(3)))
assert len(make_traffic(20, seed=1).newest) > 20
for line in open("docs/examples/orders.jsonl", encoding="utf-8"):
    parse(line)
try:
    parse(json.dumps({name: value for name, value in json.loads(body).items() if name != "currency"}))
except Rejected as rejected:
    assert "currency must be a non-empty string, got nothing" in str(rejected)
else:
    raise AssertionError("an order without a currency was accepted")
"""

SETTING = """
from pathlib import Path

reached = Path("tests/recording/golden/settings.txt").read_text()
assert "orders:queueRetention: 5\\n  OrderQueue.messageRetentionSeconds: 345600 -> 432000\\norders:" in reached
"""

TRIED = {
    "A consumer": [
        *("-m", "pytest", "-q", "tests/unit/test_monitoring.py", "tests/contract/test_promises.py"),
        *("-k", "alarm or dashboard or renamed or generated"),
    ],
    "An attribute": ["-c", CONTRACT],
    "A setting": ["-c", SETTING],
    "A rule": [
        *("-m", "pytest", "-q", "tests/policy/test_rules.py", "tests/contract/test_promises.py"),
        *("-k", "kms-key-described or generated or sound or exist"),
    ],
    "An alarm": [
        *("-m", "pytest", "-q", "tests/unit/test_monitoring.py"),
        *("tests/contract/test_runbook.py", "tests/contract/test_promises.py"),
        *("-k", "has_an_alarm or dashboard or section or renamed or generated"),
    ],
    "Another stack": [
        *("-m", "pytest", "-q", "tests/contract/test_workflows.py"),
        *("-k", "stack or deployment or required"),
    ],
    "Another type of resource": [*("-m", "pytest", "-q", "tests/cloud/test_resources.py"), *("-k", "secret or row")],
}
"""What is run in the copy after each change."""


def edits(heading: str) -> list[Edit]:
    """The edits of a recipe; of a consumer's, those of the first one."""
    return recipe(heading)[:1] if heading == "A consumer" else recipe(heading)


def commands(heading: str) -> list[str]:
    """The commands of a recipe that change files."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\$ (sed .+)$", section, re.MULTILINE)


def run(root: Path, *arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root / "policy")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_recipe_is_tried() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == list(TRIED)


@pytest.mark.parametrize("heading", TRIED)
def test_a_recipe_works_on_a_copy_of_the_project(heading: str, tmp_path: Path) -> None:
    root = copied(tmp_path)
    for edit in edits(heading):
        edit.apply(root)
    for command in commands(heading):
        subprocess.run(shlex.split(command), cwd=root, check=True)
    run(root, "-m", "tools", "docs")
    run(root, "policy/document.py")
    if heading == "A setting":
        run(root, "-m", "tests.recording.graphs", "settings.txt")
    run(root, *TRIED[heading])


@pytest.mark.parametrize("heading", TRIED)
def test_a_recipe_touches_as_many_files_as_the_page_says(heading: str) -> None:
    [told] = re.findall(rf"^\| \[{heading.lower()}\].*?(\d)", PAGE, re.MULTILINE)
    files = {edit.file for edit in edits(heading)} | {command.split()[-1] for command in commands(heading)}
    assert len(files) == int(told)
