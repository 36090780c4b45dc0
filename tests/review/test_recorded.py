"""Without an engine, two recorded runs of the program tell what a change does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi_aws import sns, sqs

from tests.defaults import BARE, bare
from tools.recording.graph import record
from tools.review.changes import Change
from tools.review.recorded import compare, compared, documents
from tools.root import ROOT

Program = Callable[[], object]


def changes(before: Program, after: Program) -> dict[str, Change]:
    old, _ = documents(lambda _: record(root=BARE, program=before), ROOT)
    new, _ = documents(lambda answer: record(root=BARE, program=after, answer=answer), ROOT, old)
    return {change.state.name: change for change in compare(old, new)}


def operations(before: Program, after: Program) -> dict[str, str]:
    return {name: change.operation for name, change in changes(before, after).items()}


def queue(**given: Any) -> Program:
    return lambda: sqs.Queue("Q", **given)


def consumer(name: str, **given: Any) -> Program:
    def program() -> None:
        parent = pulumi.ComponentResource("orders:index:Queue", name, {}, pulumi.ResourceOptions(**given))
        made = sqs.Queue(f"{name}-queue", opts=pulumi.ResourceOptions(parent=parent))
        sns.TopicSubscription("S", topic="t", protocol="sqs", endpoint=made.arn)

    return program


def test_a_changed_input_updates_or_replaces_as_its_type_says_and_protection_that_is_taken_away_updates() -> None:
    assert operations(queue(), queue(delay_seconds=0)) == {"Q": "same"}  # the provider's default
    assert operations(queue(), queue(delay_seconds=5)) == {"Q": "update"}
    assert operations(queue(opts=pulumi.ResourceOptions(protect=True)), queue()) == {"Q": "update"}
    replaced = changes(queue(), queue(fifo_queue=True))["Q"]
    assert (replaced.operation, replaced.reasons) == ("replace", ("fifoQueue",))


def test_what_keeps_its_old_name_as_an_alias_is_the_same_with_its_parts_and_their_arns() -> None:
    renamed = consumer("B", aliases=[pulumi.Alias(name="A")])
    assert operations(consumer("A"), renamed) == {"A": "same", "A-queue": "same", "S": "same"}
    anew = operations(consumer("A"), consumer("B"))
    assert anew == {"B": "create", "B-queue": "create", "A": "delete", "A-queue": "delete", "S": "replace"}


def test_the_code_of_a_function_is_told_by_its_content_and_not_by_its_place() -> None:
    found, _ = documents(lambda _: bare(), ROOT)
    [code] = [each["inputs"]["code"] for each in found if each["type"].endswith(":Function")]
    assert code["hash"]
    assert str(ROOT) not in str(code)


def project(folder: Path, **settings: str) -> Path:
    """A project with one queue, whose stack has some settings as they are written in its file."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: orders\nruntime: python\nconfig:\n  aws:region: eu-west-1\n")
    lines = [f"  {key.replace('__', ':')}: {value}\n" for key, value in settings.items()]
    (folder / "Pulumi.dev.yaml").write_text("config:\n" + "".join(lines) if lines else "")
    (folder / "__main__.py").write_text("import config\n")
    (folder / "config.py").write_text("import pulumi_aws\n\npulumi_aws.sqs.Queue('Q')\n")
    return folder


def test_a_program_that_does_not_run_is_told_with_its_folder(tmp_path: Path) -> None:
    old, new = project(tmp_path / "old"), project(tmp_path / "new")
    (new / "__main__.py").write_text("1 / 0")
    with pytest.raises(RuntimeError, match=f"the program in {new} must run, got ZeroDivisionError"):
        compared("dev", old, new, "it")
