"""A developer's change to the source is stopped by the command that a developer runs, in both modes."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tree import copied
from tools.root import ROOT


def changed(copy: Path, file: str, pattern: str) -> Path:
    """Copy the program and delete what a pattern matches in one of its files."""
    copy.mkdir(exist_ok=True)
    copied(copy)
    for path in ROOT.glob("Pulumi.*.yaml"):
        shutil.copy(path, copy)
    text, count = re.subn(pattern, "", (copy / file).read_text(), flags=re.DOTALL)
    assert count == 1, f"{file} no longer has {pattern}"
    (copy / file).write_text(text)
    return copy


REDRIVE = r'redrive_policy=pulumi\.Output\.json_dumps\(\s*\{"deadLetterTargetArn": dead_letters_arn, .*?\}\s*\),\s*'
"""What gives a queue its dead-letter queue."""


def policy_check(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools", "policy", "--stack", "dev", *options]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=120)


def test_a_queue_without_its_dead_letter_queue_is_refused_with_the_remedy(tmp_path: Path) -> None:
    result = policy_check(changed(tmp_path, "components/queue.py", REDRIVE))
    assert result.returncode == 1, result.stderr
    assert result.stdout.count("[mandatory]  [high]  sqs-queue-has-dlq  (aws:sqs/queue:Queue: OrderQueue)") == 2
    assert result.stdout.count("OrderQueue has no redrivePolicy and is nobody's dead-letter queue. To fix it: set") == 2
    assert result.stdout.count("1 mandatory and 0 advisory violations") == 2


@pytest.mark.parametrize("command", ["local --no-page", "demo"])
def test_the_local_cloud_creates_nothing_that_breaks_a_mandatory_rule(tmp_path: Path, command: str) -> None:
    directory, temporary = changed(tmp_path / "program", "components/queue.py", REDRIVE), tmp_path / "temporary"
    temporary.mkdir()
    result = subprocess.run(
        [sys.executable, "-m", "tools", *command.split()],
        cwd=directory,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 1
    assert "sqs-queue-has-dlq" in result.stderr
    assert "nothing was deployed: fix the program" in result.stderr
    assert "eployed" not in result.stdout
    assert not list(temporary.iterdir())


def test_queues_that_take_orders_from_any_topic_are_refused(tmp_path: Path) -> None:
    condition = r'"Condition": \{"ArnEquals": \{"aws:SourceArn": topic_arn\}\},\s*'
    result = policy_check(changed(tmp_path, "components/queue.py", condition), "--json")
    assert result.returncode == 1, result.stderr
    reports = json.loads(result.stdout)
    assert [report["mode"] for report in reports] == ["preview", "update"]
    for report in reports:
        broken = {finding["rule"] for finding in report["findings"] if finding["kind"] == "violation"}
        assert broken == {"queue-policy-accepts-topic-only", "sns-dlq-accepts-topic"}
