"""What others rely on by name: resources, exports, keys of the stack files, the archive, the README's table."""

import shutil
from pathlib import Path

import document
import pytest

import config
from components.dashboard import OUTCOMES
from components.package import PROCESS_ORDER, archive
from functions.process_order.lambda_function import _LEVEL_OF
from functions.process_order.orders import parse
from tests.contract.test_documents import blocks
from tests.defaults import IDENTITIES, identity, recorded
from tools.cloud.resources.functions import zipped
from tools.ops import logs
from tools.recording import pages
from tools.recording.graph import record, stack_config
from tools.root import ROOT

STACK_FILES = sorted(ROOT.glob("Pulumi.*.yaml"))


def test_no_resource_has_changed_its_type_its_name_or_its_place() -> None:
    """Such a resource is replaced, and loses its messages or data: change this list only together with an alias."""
    assert set(IDENTITIES) <= {identity(resource) for resource in recorded().resources}


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.name)
def test_a_stack_file_is_legal_and_names_the_region(path: Path) -> None:
    """Which values it holds is the owner's affair: keys that mean nothing, and values that may not be, are refused."""
    graph = record(stack=path.name.split(".")[1], program=config.load)
    assert graph.config["aws:region"]


def test_what_the_cli_writes_into_a_stack_file_is_read_as_it_is_meant(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    (tmp_path / "Pulumi.mine.yaml").write_text(
        "secretsprovider: awskms://alias/orders-state-key?region=eu-west-1\n"
        "encryptedkey: AQICAHh0\n"
        "config:\n"
        "  aws:region: eu-west-1\n"
        '  orders:functionTimeout: "60"\n'
        '  orders:protectData: "true"\n'
        "  orders:alarmEmail: { secure: v1:abc }\n"
    )
    loaded = list[config.StackConfig]()
    record(stack="mine", root=tmp_path, program=lambda: loaded.append(config.load()))
    assert loaded == [config.StackConfig(function_timeout=60, protect_data=True)]


def test_an_unknown_stack_is_refused_with_the_ones_that_exist() -> None:
    with pytest.raises(FileNotFoundError, match=r"stack must be one of dev, local, prod, .*got live"):
        stack_config("live")


def test_the_archive_holds_exactly_the_function_files() -> None:
    folder = ROOT / "functions/process_order"
    assert {path.name for path in folder.iterdir() if path.is_file()} == set(PROCESS_ORDER)
    built = archive("process_order", PROCESS_ORDER)
    assert set(built.assets) == {f"process_order/{name}" for name in PROCESS_ORDER}


def test_the_archive_has_the_same_bytes_wherever_and_whenever_it_is_built(tmp_path: Path) -> None:
    folder = ROOT / "functions/process_order"
    for name in PROCESS_ORDER:
        (tmp_path / name).write_bytes((folder / name).read_bytes())
        (tmp_path / name).chmod(0o600)
    copied, original = (
        zipped({"assets": {name: {"path": str(place / name)} for name in names}})
        for place, names in ((tmp_path, reversed(PROCESS_ORDER)), (folder, PROCESS_ORDER))
    )
    assert copied == original


def test_the_outcomes_of_a_message_are_the_same_words_in_log_metrics_dashboard_and_commands() -> None:
    assert list(_LEVEL_OF) == list(OUTCOMES) == list(logs.OUTCOMES)


def test_the_documents_hold_what_they_are_generated_from() -> None:
    generated = {document.PAGE: document.page()} | {page.path: page.render() for page in pages.GENERATED}
    outdated = [path.relative_to(ROOT) for path, text in generated.items() if path.read_text() != text]
    assert outdated == [], "run: make docs"


def test_the_example_orders_and_the_readmes_event_keep_the_contract() -> None:
    examples = (ROOT / "docs/examples/orders.jsonl").read_text().splitlines()
    [event] = blocks("json")
    assert parse(examples[0]).order_id == parse(event).order_id == "O1234"
    assert all(parse(example) for example in examples)
