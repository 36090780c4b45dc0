"""What others rely on by name: resources, exports, keys of the stack files, the archive, the README's table."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.package import PROCESS_ORDER, process_order_archive
from config import StackConfig, key_of
from local.provision import CREATORS, archive_bytes
from recording.graph import ROOT, record, recorded_answer, stack_config
from recording.pages import GENERATED

STACK_FILES = sorted(ROOT.glob("Pulumi.*.yaml"))
PROVIDER_KEYS = {"aws:region", "aws:defaultTags"}


def test_no_resource_has_changed_its_type_or_name() -> None:
    """A renamed resource is replaced, and loses its messages or data: change this list only together with an alias."""
    pinned = (ROOT / "tests/contract/identities.txt").read_text().splitlines()
    assert sorted(f"{resource.type} {resource.name}" for resource in record(stack="prod").resources) == pinned


def test_the_exports_are_those_that_others_read() -> None:
    exports = record(stack="dev").exports
    assert {
        *("topicArn", "queueUrl", "queueArn", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl"),
        *("tableName", "functionName", "logGroupName", "keyArn", "region"),
    } <= set(exports)
    assert exports["topicArn"].endswith(":OrderTopic")
    assert exports["queueUrl"].endswith("/OrderQueue")
    assert exports["queueArn"].endswith(":OrderQueue")
    assert exports["deadLetterQueueUrl"].endswith("/OrderQueue-dlq")
    assert exports["subscriptionDeadLetterQueueUrl"].endswith("/OrderTopic-dlq")
    assert exports["tableName"] == "Orders"
    assert exports["functionName"] == "ProcessOrder"
    assert exports["region"] == "eu-west-1"


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.name)
def test_a_stack_file_holds_known_keys_that_differ_from_the_defaults(path: Path) -> None:
    defaults = {f"orders:{key_of(field)}": field.default for field in fields(StackConfig)}
    values = yaml.safe_load(path.read_text())["config"]
    assert values.keys() <= defaults.keys() | PROVIDER_KEYS
    assert not {key for key, value in values.items() if key in defaults and value == defaults[key]}


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.name)
def test_every_resource_of_a_stack_is_tagged_with_project_stack_and_owner(path: Path) -> None:
    stack = path.name.split(".")[1]
    tags = json.loads(stack_config(stack)[1]["aws:defaultTags"])["tags"]
    assert tags == {"project": "orders", "stack": stack, "owner": "orders-team"}


def test_an_unknown_stack_is_refused_with_the_ones_that_exist() -> None:
    with pytest.raises(FileNotFoundError, match="stack must be one of dev, local, prod, staging, got live"):
        stack_config("live")


def test_the_archive_holds_exactly_the_function_files() -> None:
    folder = ROOT / "functions/process_order"
    assert {path.name for path in folder.iterdir() if path.is_file()} == set(PROCESS_ORDER)
    archive = process_order_archive()
    assert set(archive.assets) == {f"process_order/{name}" for name in PROCESS_ORDER}


def test_the_archive_has_the_same_bytes_wherever_and_whenever_it_is_built(tmp_path: Path) -> None:
    def copied() -> pulumi.AssetArchive:
        copies: dict[str, pulumi.Asset | pulumi.Archive] = {}
        for name in reversed(PROCESS_ORDER):
            (tmp_path / name).write_bytes((ROOT / "functions/process_order" / name).read_bytes())
            (tmp_path / name).chmod(0o600)
            copies[f"process_order/{name}"] = pulumi.FileAsset(str(tmp_path / name))
        return pulumi.AssetArchive(copies)

    assert archive_bytes(copied()) == archive_bytes(process_order_archive())


def test_the_local_cloud_can_create_every_type_the_program_registers() -> None:
    registered: set[str] = set()

    def answer(args: Any) -> tuple[str, dict[str, Any]]:
        registered.add(args.typ)
        return recorded_answer("eu-west-1")(args)

    record(stack="prod", answer=answer)
    assert registered <= CREATORS.keys()


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: page.name)
def test_generated_text_is_current(page: Any) -> None:
    """`make docs` brings it up to date."""
    assert page.path.read_text() == page.render()


def test_the_example_orders_keep_the_contract() -> None:
    from functions.process_order.orders import parse

    examples = (ROOT / "examples/orders.jsonl").read_text().splitlines()
    assert parse(examples[0]).order_id == "O1234"
    assert all(parse(example) for example in examples)
