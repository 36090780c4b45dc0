"""Nobody gets in: minimal permissions, inert texts, exact answers to garbage, and a local mode that stays local."""

from pathlib import Path

import pytest

from tests.fakes.events import body
from tests.proofs import fuzz, injection, isolation, privilege
from tests.proofs.bodies import is_order
from tests.tree import copied
from tools.cloud.deployment import Deployment


def test_every_action_of_the_role_is_needed_and_everything_else_is_denied(stressed: Deployment) -> None:
    result = privilege.prove(stressed)
    assert result.problems == ()
    assert result.figures["actions in the role"] == 10


def test_no_text_of_a_message_is_a_command_anywhere(stressed: Deployment) -> None:
    result = injection.prove(stressed, commands=injection.COMMANDS[:3], visibility=2)
    assert result.problems == ()


def test_garbage_is_answered_exactly_and_silently() -> None:
    result = fuzz.run(cases=400, seed=2)
    assert result.problems == ()
    bodies, orders = result.figures["bodies"], result.figures["orders among them"]
    assert isinstance(bodies, int)
    assert isinstance(orders, int)
    assert bodies / 5 < orders < bodies * 4 / 5  # neither all nor none


def test_a_wrong_answer_is_told_with_the_smallest_event_that_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "is_order", lambda body: is_order(body) and "PAYLOAD-extra" not in body)
    [problem] = fuzz.run(cases=400, seed=2).problems
    assert "must answer exactly the messages that are no orders" in problem
    assert "PAYLOAD-extra" in problem


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (body(), True),
        (body(note={"a": [1, None]}), True),
        (body(quantity=0), False),
        (body(note="\ud800"), False),
        (body()[:-1] + ', "a": 1, "a": 2}', False),
        (body(note="?").replace('"?"', "1E+126"), False),
        (body(note="?").replace('"?"', "[" * 30 + "1" + "]" * 30), True),
        (body(note="?").replace('"?"', "[" * 31 + "1" + "]" * 31), False),
        (None, False),
    ],
)
def test_the_judge_of_bodies_knows_an_order(text: object, verdict: bool) -> None:
    assert is_order(text) is verdict


def test_local_mode_reads_no_aws_settings_and_stays_on_this_machine(tmp_path: Path) -> None:
    result = isolation.run(orders=0, root=copied(tmp_path))
    assert result.problems == ()
    assert result.figures["connections, names and listeners beyond loopback"] == 0
