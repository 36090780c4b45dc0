"""What developers do with a stack beside operating it: its variables in a shell, its handler on one event."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.ops.cloud import Command, item, order
from tools.cloud.deployment import Deployment
from tools.root import ROOT

PROGRAM = """
import os, boto3
from tools.__main__ import main
print(boto3.client("dynamodb").describe_table(TableName=os.environ["TABLE_NAME"]))
main(["status", "--since", "1s"])
"""


def test_a_shell_that_evaluates_env_reaches_the_stack_and_nothing_else(outputs: Path) -> None:
    line = f'eval "$(./orders env --outputs {outputs})" && exec "$0" -c "$1"'
    astray = {"AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9", "AWS_SESSION_TOKEN": "wrong"}
    words, environment = ["sh", "-c", line, sys.executable, PROGRAM], {**os.environ, **astray}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "'TableStatus': 'ACTIVE'" in done.stdout, done.stderr
    assert "OrderQueue-dlq" in done.stdout


def test_the_handler_runs_on_one_event(operate: Command, deployment: Deployment, tmp_path: Path) -> None:
    good, bad = order(), order(quantity=0)
    (tmp_path / "orders.json").write_text(json.dumps([good, bad]))
    event = {"Records": [{"messageId": "m1", "body": json.dumps(good)}]}
    (tmp_path / "event.json").write_text(json.dumps(event))
    mixed = operate("invoke", str(tmp_path / "orders.json"))
    again = operate("invoke", str(tmp_path / "event.json"), "--json")
    assert (mixed.status, "1 of 2 messages were taken" in mixed.out) == (1, True)
    assert "quantity must be an integer" in mixed.out
    assert (again.status, again.json()) == (0, {"batchItemFailures": []})
    assert item(deployment, good["orderId"])


def test_a_stack_on_aws_is_not_invoked(command: Command, deployment: Deployment, tmp_path: Path) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(dict(deployment.outputs)))
    refused = command("invoke", "event.json", "--outputs", str(tmp_path / "outputs.json"))
    assert (refused.status, "must have a stack on the local cloud" in refused.err) == (2, True)
