"""The review of a change, as the reviewer of a real preview sees it, and the safe ways that it names."""

import json
from contextlib import AbstractContextManager

import pytest

from tests.engine.engine import Engine

BUILT = ("--old-file=.venv/ready", "--old-file=policy/venv/ready")


@pytest.fixture(scope="module")
def deployed(engine: Engine) -> Engine:
    engine.up("dev")
    return engine


def review(engine: Engine, *, fails: bool = False) -> str:
    words = ("make", "--no-print-directory", *BUILT, "review", "STACK=dev", "ARGS=--non-interactive")
    return engine.run(*words, fails=fails)


def headline(text: str) -> str:
    return text.splitlines()[0].removeprefix("### Review of dev: ")


def renamed(engine: Engine, *, alias: bool) -> AbstractContextManager[None]:
    """OrderQueue under another name, with its old one as an alias or without."""
    options = 'opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="OrderQueue")]), args=' if alias else ""
    return engine.edited("__main__.py", '"OrderQueue",\n    QueueArgs(', f'"OrdersQueue",\n    {options}QueueArgs(')


def test_a_first_deployment_touches_nothing_that_holds_orders(engine: Engine) -> None:
    first = review(engine)
    assert headline(first).startswith("⚠️ LOOK: not rehearsed; ")  # the folder is no repository
    assert headline(first).endswith(" creations")
    assert "From `pulumi preview`" in first


def test_a_stack_that_is_up_to_date_has_no_changes(deployed: Engine) -> None:
    assert headline(review(deployed)) == "✅ no changes"


def test_a_renamed_queue_is_unsafe_until_it_is_allowed(deployed: Engine) -> None:
    allowed = deployed.folder / "allowed-changes.json"
    with renamed(deployed, alias=False):
        assert headline(review(deployed, fails=True)).startswith(
            "❌ UNSAFE (5 findings): deletes OrderQueue and the orders waiting in it"
        )
        entry = {"match": "OrderQueue*", "change": "delete", "reason": "drained", "expires": "2999-12-31"}
        allowed.write_text(json.dumps([entry]))
        try:
            assert "): allowed: deletes OrderQueue and the orders" in headline(review(deployed))
        finally:
            allowed.unlink()


def test_a_renamed_queue_that_keeps_its_old_name_as_an_alias_is_safe(deployed: Engine) -> None:
    with renamed(deployed, alias=True):
        text = review(deployed)
    assert headline(text).startswith("⚠️ LOOK")
    assert "**deletes**" not in text
    assert "**replaces**" not in text


def test_a_mandatory_policy_stops_a_change_with_its_remedy(deployed: Engine) -> None:
    with deployed.edited("components/encryption.py", "enable_key_rotation=True", "enable_key_rotation=False"):
        text = review(deployed, fails=True)
    assert headline(text) == "❌ REFUSED: 1 mandatory policy is violated; 1 update"
    assert "set enableKeyRotation to true" in text
