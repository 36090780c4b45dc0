"""The review of a change, as the reviewer of a real preview sees it, and the safe ways that it names."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.engine.engine import Engine, started
from tests.engine.test_guards import edited

BUILT = ("--old-file=.venv/ready", "--old-file=policy/venv/ready")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, str]]:
    """A stack `dev` that is up, and the review of its first deployment."""
    with started(tmp_path_factory.mktemp("review")) as engine:
        first = review(engine)
        engine.up("dev")
        yield engine, first


def review(engine: Engine, *, fails: bool = False) -> str:
    words = ("make", "--no-print-directory", *BUILT, "review", "STACK=dev", "ARGS=--non-interactive")
    return engine.run(*words, fails=fails)


def headline(text: str) -> str:
    return text.splitlines()[0].removeprefix("### Review of dev: ")


@contextmanager
def renamed(engine: Engine, *, alias: bool) -> Iterator[None]:
    """OrderQueue under another name, with its old one as an alias or without."""
    path = engine.folder / "__main__.py"
    options = 'opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="OrderQueue")]), args=' if alias else ""
    with edited(path, '"OrderQueue",\n    QueueArgs(', f'"OrdersQueue",\n    {options}QueueArgs('):
        yield


def test_a_first_deployment_touches_nothing_that_holds_orders(deployed: tuple[Engine, str]) -> None:
    _, first = deployed
    assert headline(first).startswith("⚠️ LOOK: not rehearsed; ")  # the folder is no repository
    assert headline(first).endswith(" creations")
    assert "From `pulumi preview`" in first


def test_a_stack_that_is_up_to_date_has_no_changes(deployed: tuple[Engine, str]) -> None:
    engine, _ = deployed
    assert headline(review(engine)) == "✅ no changes"


def test_a_renamed_queue_is_unsafe_until_it_is_allowed(deployed: tuple[Engine, str]) -> None:
    engine, _ = deployed
    allowed = engine.folder / "allowed-changes.json"
    with renamed(engine, alias=False):
        assert headline(review(engine, fails=True)).startswith(
            "❌ UNSAFE (5 findings): deletes OrderQueue and the orders waiting in it"
        )
        entry = {"match": "OrderQueue*", "change": "delete", "reason": "drained", "expires": "2999-12-31"}
        allowed.write_text(json.dumps([entry]))
        try:
            assert "): allowed: deletes OrderQueue and the orders" in headline(review(engine))
        finally:
            allowed.unlink()


def test_a_renamed_queue_that_keeps_its_old_name_as_an_alias_is_safe(deployed: tuple[Engine, str]) -> None:
    engine, _ = deployed
    with renamed(engine, alias=True):
        text = review(engine)
    assert headline(text).startswith("⚠️ LOOK")
    assert "**deletes**" not in text
    assert "**replaces**" not in text


def test_a_mandatory_policy_stops_a_change_with_its_remedy(deployed: tuple[Engine, str]) -> None:
    engine, _ = deployed
    with edited(engine.folder / "components/encryption.py", "enable_key_rotation=True", "enable_key_rotation=False"):
        text = review(engine, fails=True)
    assert headline(text) == "❌ REFUSED: 1 mandatory policy is violated; 1 update"
    assert "set enableKeyRotation to true" in text
