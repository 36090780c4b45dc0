"""Each stack from its first preview to its end, on the real engine."""

import json
import re

import pytest
from pulumi.runtime.rpc import UNKNOWN

from tests.engine.engine import STACKS, Engine


def orders_arrive(engine: Engine, stack: str) -> bool:
    (engine.folder / "sent.jsonl").unlink(missing_ok=True)
    engine.ops(stack, "publish", "--generate", "20", "--save", "sent.jsonl")
    return "20 of 20 orders stored" in engine.ops(stack, "verify", "sent.jsonl", "--wait", "60s")


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "prod"])
def test_a_stack_lives_and_dies(engine: Engine, stack: str) -> None:
    previewed = engine.pulumi("preview --diff --policy-pack policy", stack)
    assert "[mandatory]" not in previewed
    assert "[advisory]" not in previewed
    up = engine.up(stack)
    assert re.search(r"\+ 4\d created", up)
    engine.nothing_is_left(stack)
    assert orders_arrive(engine, stack)
    assert re.search(r"- 4\d deleted", engine.pulumi("destroy --yes", stack))
    assert engine.aws("sqs").list_queues().get("QueueUrls", []) == []


def test_prod_cannot_be_destroyed_until_somebody_says_so_twice(engine: Engine) -> None:
    engine.up("prod")
    engine.nothing_is_left("prod")
    assert orders_arrive(engine, "prod")
    engine.pulumi("destroy --yes --skip-preview", "prod", fails=True)  # with a preview it ends before it begins
    assert orders_arrive(engine, "prod")
    refused = engine.pulumi("destroy --yes", "prod", fails=True)
    for name in ("ProcessOrder-mapping", "OrderQueue-subscription"):  # what depends on the others is asked about first
        assert f"::{name}" in refused
    assert "protected" in refused
    engine.pulumi("destroy --yes --exclude-protected", "prod")
    kept = {url.rsplit("/", 1)[1].rsplit("-prod-", 1)[0] for url in engine.aws("sqs").list_queues()["QueueUrls"]}
    assert {"OrderQueue", "OrderQueue-dlq", "OrderTopic-dlq"} <= kept
    assert len(engine.aws("dynamodb").list_tables()["TableNames"]) == 1


def test_the_first_preview_shows_every_policy_but_the_grant_of_the_key(engine: Engine) -> None:
    unknown = {
        step["urn"].split("::")[-1]
        for step in engine.steps("dev")
        for key, value in step["newState"].get("inputs", {}).items()
        if "olicy" in key and UNKNOWN in json.dumps(value)
    }
    assert unknown <= {"ProcessOrder-decryption"}
