"""The recipes of the two pages of changes work, made together on one copy of the project."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recipes import PAGE, Edit, recipe
from tests.tree import copied

RECIPES = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
SCRIPT = """
import json
import runpy
import config
from functions.process_order.orders import Rejected, parse
from tests.contract.test_runbook import SECTIONS, anchor
from tests.defaults import IDENTITIES, identity
from tools.__main__ import main
from tools.cloud.resources import KEEPERS
from tools.cloud.traffic import make_traffic
from tools.ops.publish import generate
from tools.ops.verify import expected
from tools.recording.graph import record
from tools.recording.pack import check
from tools.recording.types import TYPES

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

assert main(["docs"]) == 0
runpy.run_path("policy/document.py", run_name="__main__")
record(stack="qa", program=config.load)
graph = record(stack="prod", config={"orders:queueRetention": "5"})
assert graph.one("aws:sqs/queue:Queue", "OrderQueue").properties["messageRetentionSeconds"] == 432_000
report = check(graph, config={"kms-key-described": "mandatory"})
assert not report.violations, report.violations
assert set(IDENTITIES) <= {identity(resource) for resource in graph.resources}
assert {resource.type for resource in graph.resources if resource.custom} <= KEEPERS.keys() & TYPES.keys()
assert "aws:secretsmanager/secret:Secret" in KEEPERS.keys() & TYPES.keys()
alarms = {identity.rpartition("::")[2] for identity in IDENTITIES if "MetricAlarm" in identity}
assert "OrderAlarms-too-many-in-flight" in alarms
assert "too-many-in-flight" in map(anchor, SECTIONS)
"""


def edits(heading: str) -> list[Edit]:
    """The edits of a recipe; of a consumer's, those of the first one."""
    return recipe(heading)[:1] if heading == "A consumer" else recipe(heading)


def commands(heading: str) -> list[str]:
    """The commands of a recipe that change files."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\$ (sed .+)$", section, re.MULTILINE)


def test_the_recipes_work_on_one_copy_of_the_project(tmp_path: Path) -> None:
    root = copied(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(root / "policy")}

    def run(*command: str) -> None:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    for heading in RECIPES:
        for edit in edits(heading):
            edit.apply(root)
        for command in commands(heading):
            run(*shlex.split(command))
    run(sys.executable, "-c", SCRIPT)


@pytest.mark.parametrize("heading", RECIPES)
def test_a_recipe_touches_as_many_files_as_the_page_says(heading: str) -> None:
    [told] = re.findall(rf"^\| \[{heading.lower()}\].*?(\d)", PAGE, re.MULTILINE)
    files = {edit.file for edit in edits(heading)} | {command.split()[-1] for command in commands(heading)}
    assert len(files) == int(told)
