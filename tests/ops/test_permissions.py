"""What the runbook and the bootstrap say that people need is what the commands ask for, and it is enough."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import tools.ops.stack
from tests.ops.cloud import QUEUE, Command, order, send
from tests.ops.test_stack import saved, user_of
from tests.unit.bootstrap import MANAGED_POLICY, deployed, document
from tests.unit.iam import many
from tools.cloud.deployment import Deployment
from tools.recording.graph import ACCOUNT
from tools.root import ROOT

PAGE = (ROOT / "docs/runbook.md").read_text()
ROWS = {
    command: set(re.findall(r"\w+:\w+", row)) for command, row in re.findall(r"^\| `([a-z ]+)` \| (.+)", PAGE, re.M)
}
"""The actions of each command, as the page has them."""
LINES = {
    "publish": "publish FILE",
    "status": "status",
    "verify": "verify FILE --wait 0s",
    "trace": "trace O1",
    "tail": "tail --no-follow",
    "dlq list": "dlq list",
    "dlq show": "dlq show O1",
    "dlq export": "dlq export -",
    "dlq import": "dlq import EXPORT",
    "dlq redrive": "dlq redrive --order O1 --yes",
    "dlq purge": "dlq purge --yes",
}
OPERATORS, PRODUCERS = "orders-local-operators", "orders-local-producers"


def statements(policy: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(deployed('["local"]').one(MANAGED_POLICY, policy))["Statement"]
    return found


def actions(policy: str) -> set[str]:
    return {action for statement in statements(policy) for action in many(statement["Action"])}


@pytest.fixture
def dead(letters: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    monkeypatch.chdir(tmp_path)
    send(letters, QUEUE, order(orderId="O1"), order(), order(quantity=0))
    (tmp_path / "FILE").write_text(json.dumps(order()))
    (tmp_path / "EXPORT").write_text(json.dumps({"messageId": "m", "source": "queue", "body": json.dumps(order())}))
    return letters


def allowed(policy: str, dead: Deployment, folder: Path) -> str:
    """The addresses of the stack, with the credentials of somebody who has a policy and no more."""
    text = json.dumps(statements(policy)).replace(ACCOUNT, dead.cloud.account)
    # MiniStack has an action for each batch, which to AWS is what its entries are, and sees no resource of some.
    text = re.sub(r'"(sns:Publish|sqs:(?:Send|Delete)Message|sqs:ChangeMessageVisibility)"', r'"\1", "\1Batch"', text)
    text = re.sub(r'"[^"]+:alarm:\*"', '"*"', text)
    return saved(folder, {**dead.addresses(), **user_of(dead, json.loads(text))})


def test_a_command_asks_for_what_its_row_says_and_an_operator_has_it(
    dead: Deployment, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()
    real = tools.ops.stack.botocore_session

    def note(model: Any, **_: Any) -> None:
        service = {"monitoring": "cloudwatch"}.get(model.service_model.signing_name, model.service_model.signing_name)
        asked.add(f"{service}:{model.name.removesuffix('Batch')}")

    def noting(variables: Any = None) -> Any:
        session = real(variables)
        session.register("before-call", note)
        return session

    monkeypatch.setattr(tools.ops.stack, "botocore_session", noting)
    path = allowed(OPERATORS, dead, tmp_path)
    for verb, line in LINES.items():
        asked.clear()
        done = command(*line.split(), "--outputs", path)
        assert done.status in (0, 1), done.err
        assert asked == ROWS[verb], verb
    assert LINES.keys() == ROWS.keys()


def test_a_producer_may_publish_and_nothing_else(dead: Deployment, command: Command, tmp_path: Path) -> None:
    path = allowed(PRODUCERS, dead, tmp_path)
    assert command("publish", "FILE", "--outputs", path).status == 0
    refused = command("dlq", "list", "--outputs", path)
    assert (refused.status, refused.out) == (3, "")
    assert "your credentials must allow sqs:GetQueueAttributes" in refused.err


def test_the_policies_grant_what_the_rows_say_and_the_use_of_the_key() -> None:
    key = {"kms:Decrypt", "kms:GenerateDataKey*"}
    assert actions(OPERATORS) == set().union(*ROWS.values()) | key
    assert actions(PRODUCERS) == {"sns:Publish"} | key
