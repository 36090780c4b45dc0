"""A developer's change to the source is stopped by the command that a developer runs, in both modes."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.tree import copied

REDRIVE = r'redrive_policy=pulumi\.Output\.json_dumps\(\s*\{"deadLetterTargetArn": dead_letters_arn, .*?\}\s*\),\s*'
"""What gives a queue its dead-letter queue."""
SOURCE = r'"Condition": \{"ArnEquals": \{"aws:SourceArn": topic_arn\}\},\s*'
"""What lets SNS send for one topic only."""


def changed(folder: Path, edits: Mapping[str, str]) -> Path:
    """Copy the program and delete what the patterns match, each in a component's file."""
    folder.mkdir(exist_ok=True)
    copied(folder)
    for name, pattern in edits.items():
        file = folder / "components" / name
        text, count = re.subn(pattern, "", file.read_text(), flags=re.DOTALL)
        assert count == 1, f"{file} no longer has {pattern}"
        file.write_text(text)
    return folder


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools", *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_what_loses_orders_or_takes_them_from_anybody_is_refused_with_the_remedy_and_not_deployed(
    tmp_path: Path,
) -> None:
    program, temporary = changed(tmp_path / "program", {"queue.py": REDRIVE, "policies.py": SOURCE}), tmp_path / "empty"
    result = run(program, "policy", "--stack", "dev")
    assert result.returncode == 1, result.stderr
    for told in (
        "[mandatory]  [high]  sqs-queue-has-dlq  (aws:sqs/queue:Queue: OrderQueue)",
        "OrderQueue has no redrivePolicy and is nobody's dead-letter queue. To fix it: set",
        "[mandatory]  [critical]  queue-policy-accepts-topic-only  (aws:sqs/queue:Queue: OrderQueue)",
        "[mandatory]  [high]  sns-dlq-accepts-topic  (aws:sqs/queue:Queue: OrderTopic-dlq)",
    ):
        assert result.stdout.count(told) == 2, f"{told}, in preview and in update: {result.stdout}"
    assert result.stdout.count("3 mandatory and 0 advisory violations") == 2, result.stdout
    temporary.mkdir()
    result = run(program, "demo", TMPDIR=str(temporary))
    assert result.returncode == 1
    assert "sqs-queue-has-dlq" in result.stderr
    assert "nothing was deployed: fix the program" in result.stderr
    assert "eployed" not in result.stdout
    assert not list(temporary.iterdir())
