"""The engine and the in-process deployment, given the same edits one after another, end with the same cloud."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.engine import Engine, started
from tests.recipes import recipe
from tests.recording.graphs import OTHERS
from tools.cloud import provider
from tools.cloud.cloud import ACCOUNT, Cloud, running_cloud
from tools.cloud.deployment import Deployment
from tools.root import ROOT

Edit = Callable[[Path], object]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A stack that the engine deploys, and the same one in this process, on a cloud of its own each."""

    engine: Engine
    here: Deployment


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with started(tmp_path_factory.mktemp("applied")) as engine, running_cloud(region="eu-west-1") as own:
        yield Pair(engine=engine, here=Deployment(own, stack="dev"))


def setting(key: str) -> Edit:
    """One setting of the stack; those of the edits before are taken back."""

    def edit(folder: Path) -> None:
        path = folder / "Pulumi.dev.yaml"
        kept = re.sub(r"  orders:.*\n", "", path.read_text())
        value = json.dumps(OTHERS[key]).replace("123456789012", ACCOUNT)  # a boundary in this account
        path.write_text(kept.replace("config:\n", f"config:\n  {key}: {value}\n", 1))

    return edit


def replaced(file: str, old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        path = folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return edit


def undone(file: str) -> Edit:
    """A file as the project has it."""
    return lambda folder: (folder / file).write_text((ROOT / file).read_text())


EDITS: dict[str, Edit] = {
    "first": lambda _: None,
    **{key: setting(key) for key in OTHERS},
    "default tags": replaced("Pulumi.dev.yaml", "orders-team", "platform-team"),
    "handler": replaced("functions/process_order/lambda_function.py", "import time\n", "import time  # edited\n"),
    "renamed queue": replaced("components/queue.py", 'f"{name}-dlq"', 'f"{name}-dead"'),
    "queue named as before": undone("components/queue.py"),
    "another key of the table": replaced("components/table.py", '"orderId"', '"userId"'),
    "consumers": lambda folder: [edit.apply(folder) for edit in recipe("A consumer")],
    "no consumers": undone("__main__.py"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_applied_alike_and_leaves_nothing_to_do(pair: Pair, name: str) -> None:
    EDITS[name](pair.engine.folder)
    pair.engine.pulumi("up --yes --skip-preview", "dev")
    pair.engine.pulumi("preview --refresh --expect-no-changes", "dev")
    applied = pair.here.apply(pair.engine.folder)
    assert name not in OTHERS or not [step for step in applied.steps if step.action == "replaced"]
    assert clouds_own(pair.here) == engines_own(pair)


def engines_own(pair: Pair) -> dict[str, Any]:
    """By URN, what the engine's cloud says of each resource in the engine's state."""
    resources = json.loads(pair.engine.pulumi("stack export", "dev"))["deployment"]["resources"]
    found = [
        (each["urn"], each["type"], each["id"], each["outputs"])
        for each in resources
        if each["custom"] and each["type"].startswith("aws:")
    ]
    return told(pair.engine.cloud, found)


def clouds_own(here: Deployment) -> dict[str, Any]:
    found = [(urn, each.type, each.id, dict(each.outputs)) for urn, each in here.resources.items()]
    return told(here.cloud, found)


def told(cloud: Cloud, resources: list[tuple[str, str, str, dict[str, Any]]]) -> dict[str, Any]:
    """What a cloud says of resources, with the names of the program in place of those of the cloud."""
    names: dict[str, str] = {}
    read = {}
    for urn, token, id_, outputs in resources:
        name = urn.rsplit("::", 1)[1]
        names |= dict.fromkeys(filter(None, (outputs.get("name"), outputs.get("keyId"), outputs.get("uuid"))), name)
        inputs, _ = provider.read(cloud, token, name, id_, {}, outputs) or ({}, {})
        assert inputs, f"{urn} must exist"
        read[urn] = inputs
    text = json.dumps(read, sort_keys=True, default=str).replace(cloud.endpoint, "https://cloud")
    for physical in sorted(names, key=len, reverse=True):
        text = text.replace(physical, names[physical])
    return dict(json.loads(re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)))


def test_both_have_as_many_things(pair: Pair) -> None:
    """Nothing is left of what was replaced or deleted."""
    for service, call, key in (("sqs", "list_queues", "QueueUrls"), ("dynamodb", "list_tables", "TableNames")):
        counts = [len(getattr(cloud.client(service), call)()[key]) for cloud in (pair.engine.cloud, pair.here.cloud)]
        assert counts[0] == counts[1]
