"""What stops a mistake, as the user of the real CLI sees it: the configuration, the policy pack, the local cloud."""

import json
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.engine.engine import Engine


def test_a_wrong_setting_is_refused_with_its_remedy(engine: Engine) -> None:
    with engine.edited("Pulumi.dev.yaml", "config:\n", "config:\n  orders:protectData: yes\n"):
        answer = engine.pulumi("preview", "dev", fails=True)
    assert "orders:protectData must be true or false, got yes" in answer
    assert "fix: pulumi config" in answer
    assert "Traceback" not in answer


def without_redrive(engine: Engine) -> AbstractContextManager[None]:
    text = (engine.folder / "components/queue.py").read_text()
    found = re.search(r"            redrive_policy=pulumi.Output.json_dumps\(\n.*?\n            \),\n", text, re.DOTALL)
    assert found
    return engine.edited("components/queue.py", found[0], "")


def test_a_queue_without_a_dead_letter_queue_is_stopped_in_preview_and_update(engine: Engine) -> None:
    with without_redrive(engine):
        for command in ("preview --policy-pack policy", "up --yes --policy-pack policy"):
            answer = engine.pulumi(command, "dev", fails=True)
            assert "sqs-queue-has-dlq" in answer
            assert "[mandatory]" in answer
    assert engine.aws("sqs").list_queues().get("QueueUrls", []) == []


def test_levels_and_exemptions_are_honoured(engine: Engine, tmp_path: Path) -> None:
    def previewed(rule: Any, *, fails: bool = False) -> str:
        config = tmp_path / "policy.json"
        config.write_text(json.dumps({"sqs-queue-has-dlq": rule}))
        command = ("preview --policy-pack policy", "dev", "--policy-pack-config", str(config))
        return engine.pulumi(*command, fails=fails)

    exempt = {"match": "OrderQueue", "reason": "an experiment", "expires": "2999-01-01"}
    with without_redrive(engine):
        answer = previewed({"exempt": [exempt]})
        assert "exempt: sqs-queue-has-dlq does not apply to OrderQueue, until 2999-01-01: an experiment" in answer
        assert "[mandatory]" not in answer
        assert "[advisory]" in previewed("advisory")
        # An entry without a level keeps the rule's own.
        assert "[mandatory]" in previewed({"exempt": [{**exempt, "match": "another"}]}, fails=True)


def test_the_state_of_a_running_stack_is_judged_without_its_program(engine: Engine) -> None:
    engine.up("dev")
    assert "mandatory" not in engine.pulumi("policy analyze --policy-pack policy", "dev")
    state = json.loads(engine.pulumi("stack export", "dev"))
    [queue] = [
        resource
        for resource in state["deployment"]["resources"]
        if resource["urn"].endswith("::OrderQueue") and resource["type"].startswith("aws:")
    ]
    del queue["inputs"]["redrivePolicy"], queue["outputs"]["redrivePolicy"]
    queue["propertyDependencies"].pop("redrivePolicy", None)
    file = engine.folder / "state.json"
    file.write_text(json.dumps(state))
    answer = engine.run(
        *("pulumi", "policy", "analyze", "--policy-pack", "policy", "--file", str(file), "--color", "never"),
        fails=True,
    )
    assert "sqs-queue-has-dlq" in answer


@pytest.mark.parametrize("stack", ["release-1.2", "pr-1234-checkout-redesign-with-new-payment-provider-eu"])
def test_a_stack_name_that_makes_names_which_aws_refuses_is_refused_in_preview(engine: Engine, stack: str) -> None:
    engine.run("pulumi", "stack", "init", stack, "--no-select")
    assert "the stack's name must be at most" in engine.pulumi("preview", stack, fails=True)


def test_what_was_made_by_hand_can_be_imported(engine: Engine) -> None:
    url = engine.aws("sqs").create_queue(QueueName="by-hand", Attributes={"DelaySeconds": "9"})["QueueUrl"]
    answer = engine.pulumi("import --yes", "local", "aws:sqs/queue:Queue", "byHand", url)
    assert 'aws.sqs.Queue("byHand"' in answer
    assert "delay_seconds=9" in answer
