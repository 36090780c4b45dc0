"""A change reaches what runs as `pulumi up` would bring it: updated, replaced or deleted, and what it costs is said."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.runtime.proto.analyzer_pb2 import AnalyzeRequest, AnalyzeResponse, AnalyzerInfo

import config
from tests.defaults import BARE
from tools.cloud.cloud import Cloud, CloudError, running_cloud
from tools.cloud.deployment import Deployment, NotAppliedError
from tools.recording.graph import Graph
from tools.recording.pack import analyze

Program = Callable[[], object]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running_cloud(region="eu-west-1") as running:
        yield running


@pytest.fixture
def stack(cloud: Cloud) -> Iterator[Deployment]:
    deployment = Deployment(cloud, stack="dev")
    yield deployment
    deployment.apply(BARE, lambda: None)


def steps(deployment: Deployment, program: Program) -> list[str]:
    return [str(step) for step in deployment.apply(BARE, program).steps]


def queue(resource: str = "q", /, **inputs: Any) -> aws.sqs.Queue:
    options = inputs.pop("opts", None)
    return aws.sqs.Queue(resource, opts=options, **inputs)


def names(cloud: Cloud) -> set[str]:
    return {url.rsplit("/", 1)[1] for url in cloud.client("sqs").list_queues().get("QueueUrls", [])}


def test_a_replacement_comes_before_the_old_one_goes_and_tells_what_is_lost(stack: Deployment) -> None:
    def program(**inputs: Any) -> Program:
        return lambda: pulumi.export("url", queue(**inputs).url)

    stack.apply(BARE, program())
    for _ in range(12):
        stack.client("sqs").send_message(QueueUrl=stack.outputs["url"], MessageBody="{}")
    with pytest.raises(NotAppliedError, match="not applied: q"):
        stack.apply(BARE, program(name="other", delay_seconds=5000))
    assert names(stack.cloud) == {"q"}
    [step] = steps(stack, program(name="other"))
    assert step == "replaced q (name): 12 waiting orders lost"
    assert names(stack.cloud) == {"other"}
    assert stack.outputs["url"].endswith("/other")
    assert steps(stack, lambda: None) == ["deleted q"]
    assert names(stack.cloud) == set()


def test_a_program_runs_once_more_only_for_outputs_that_its_preview_could_not_tell(stack: Deployment) -> None:
    runs = []

    def program(number: int) -> Program:
        def aliased() -> None:
            runs.append(number)
            keys = [aws.kms.Key(f"k{each}") for each in (0, 1)]
            alias = aws.kms.Alias("a", target_key_id=keys[number % 2].id)
            aws.sqs.Queue("q", delay_seconds=number // 2, tags={"key": alias.target_key_arn})
            pulumi.export("key", alias.target_key_arn)
            pulumi.export("keys", [key.arn for key in keys])

        return aliased

    stack.apply(BARE, program(0))
    assert steps(stack, program(2)) == ["updated q (delaySeconds)"]
    assert steps(stack, program(3)) == ["updated a (targetKeyId)", "updated q (tags, tagsAll)"]
    assert stack.outputs["key"] == stack.outputs["keys"][1]
    [tags] = [each.inputs["tags"] for each in stack.resources.values() if each.name == "q"]
    assert tags == {"key": stack.outputs["key"]}
    assert runs == [0, 0, 2, 3, 3]


def test_a_replacement_under_an_automatic_name_gets_another(stack: Deployment) -> None:
    def table(key: str) -> Program:
        kind = aws.dynamodb.TableAttributeArgs(name=key, type="S")
        return lambda: pulumi.export(
            "name", aws.dynamodb.Table("tab", hash_key=key, attributes=[kind], billing_mode="PAY_PER_REQUEST").name
        )

    stack.apply(BARE, table("a"))
    assert stack.outputs["name"] == "tab"
    assert steps(stack, table("b")) == ["replaced tab (attributes, hashKey)"]
    assert stack.outputs["name"].startswith("tab-")
    assert stack.client("dynamodb").list_tables()["TableNames"] == [stack.outputs["name"]]


def test_what_failed_half_way_says_what_was_applied_and_is_applied_later(stack: Deployment) -> None:
    def program(delay: int) -> Program:
        def both() -> None:
            first = queue("first")
            queue("second", delay_seconds=delay, opts=pulumi.ResourceOptions(depends_on=[first]))

        return both

    with pytest.raises(NotAppliedError, match=r"must accept second .*; already applied: created first; not applied: s"):
        stack.apply(BARE, program(5000))
    assert names(stack.cloud) == {"first"}
    assert steps(stack, program(5)) == ["created second"]


def test_a_broken_program_leaves_what_runs(stack: Deployment) -> None:
    def broken() -> None:
        queue("other")
        raise ZeroDivisionError

    stack.apply(BARE, lambda: queue() and None)
    with pytest.raises(CloudError, match=r"must run to its end, but failed at .*py:\d+: ZeroDivisionError"):
        stack.apply(BARE, broken)
    assert names(stack.cloud) == {"q"}
    assert steps(stack, lambda: queue() and None) == []


def options(**given: Any) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(**given)


def test_what_is_protected_is_neither_deleted_nor_replaced(stack: Deployment) -> None:
    stack.apply(BARE, lambda: queue(opts=options(protect=True)) and None)
    for program in (lambda: None, lambda: queue(name="other", opts=options(protect=True)) and None):
        with pytest.raises(CloudError, match="q is protected and must not be"):
            stack.apply(BARE, program)
    assert names(stack.cloud) == {"q"}
    assert steps(stack, lambda: queue() and None) == []


def test_the_options_of_a_resource_are_honoured(stack: Deployment) -> None:
    stack.apply(BARE, lambda: queue(delay_seconds=1, tags={"a": "1", "b": "1"}) and None)
    ignoring = options(ignore_changes=["delaySeconds", "tags.a"])
    assert steps(stack, lambda: queue(delay_seconds=2, tags={"a": "2", "b": "1"}, opts=ignoring) and None) == []
    renamed = options(aliases=[pulumi.Alias(name="q")])
    assert steps(stack, lambda: queue("r", delay_seconds=1, tags={"a": "1", "b": "1"}, opts=renamed) and None) == []
    assert names(stack.cloud) == {"q"}
    replacing = options(replace_on_changes=["delaySeconds"])
    assert steps(stack, lambda: queue("r", delay_seconds=2, opts=replacing) and None) == [
        "replaced r (delaySeconds, tags, tagsAll)"
    ]
    assert names(stack.cloud) == {"r"}
    assert steps(stack, lambda: queue("r", delay_seconds=2, opts=options(retain_on_delete=True)) and None) == []
    assert steps(stack, lambda: None) == ["left r"]
    [url] = stack.client("sqs").list_queues()["QueueUrls"]
    stack.client("sqs").delete_queue(QueueUrl=url)


def test_what_goes_first_takes_what_needs_it_along(stack: Deployment) -> None:
    def program(region: str | None) -> Program:
        def both() -> None:
            owner = queue(name="q", region=region)
            policy = '{"Version": "2012-10-17", "Statement": []}'
            aws.sqs.QueuePolicy("p", queue_url=owner.url, policy=policy)

        return both

    stack.apply(BARE, program(None))
    assert steps(stack, program("eu-west-1")) == ["replaced p", "replaced q (region)"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import sys; sys.exit(3)", r"ended itself: sys.exit\(3\)"),
        (
            "while True:\n    try:\n        pass\n    except Exception:\n        pass",
            "must register something or end within",
        ),
        ("def f(:", r"failed at __main__.py:1: SyntaxError"),
        (None, "FileNotFoundError"),
    ],
)
def test_a_program_may_do_anything_and_what_runs_stays(
    stack: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, told: str
) -> None:
    monkeypatch.setattr("tools.cloud.deployment.PATIENCE", 1.5)
    shutil.copytree(BARE, tmp_path, dirs_exist_ok=True)
    main = tmp_path / "__main__.py"
    sound = "import pulumi_aws, config\npulumi_aws.sqs.Queue('q', delay_seconds=config.DELAY)\n"
    main.write_text(sound)
    (tmp_path / "config.py").write_text("DELAY = 1\n")
    stack.apply(tmp_path)
    if text is None:
        main.unlink()
    else:
        main.write_text(text)
    with pytest.raises(CloudError, match=told):
        stack.apply(tmp_path)
    assert names(stack.cloud) == {"q"}
    main.write_text(sound)
    (tmp_path / "config.py").write_text("DELAY = 2\n")
    assert [str(step) for step in stack.apply(tmp_path).steps] == ["updated q (delaySeconds)"]
    assert sys.modules["config"] is config


@pytest.mark.parametrize("name", ["__main__.py", "components/queues.py"])
def test_a_program_that_was_read_while_it_was_written_is_read_again(
    name: str, stack: Deployment, tmp_path: Path
) -> None:
    shutil.copytree(BARE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "components").mkdir()
    (tmp_path / "__main__.py").write_text("import components.queues\n")
    file, half = tmp_path / name, "import pulumi_aws\npulumi_aws.sqs.Queue('q'"
    whole = f"{half}, delay_seconds=5)\n"
    file.write_text(whole)
    stack.apply(tmp_path)
    file.write_text(f"{half})\n")

    def write(graph: Graph) -> None:
        if "delaySeconds" not in graph.all("aws:sqs/queue:Queue")["q"].properties:
            file.write_text(whole)

    assert stack.apply(tmp_path, judge=write).steps == ()


@pytest.mark.parametrize(
    ("resource", "inputs", "told"),
    [
        ("second", {"name": "a.b"}, r"^second: a name must have 1 to 80 characters, .* got a\.b"),
        ("first", {}, "::first must be registered once, and is twice"),
    ],
)
def test_a_name_that_aws_or_the_engine_refuses_is_refused_before_anything_is_created(
    stack: Deployment, resource: str, inputs: dict[str, str], told: str
) -> None:
    with pytest.raises(CloudError, match=told):
        stack.apply(BARE, lambda: queue("first") and queue(resource, **inputs) and None)
    assert names(stack.cloud) == set()


def test_the_policies_are_shown_the_name_that_a_replaced_resource_has(stack: Deployment) -> None:
    def program(policy: str) -> Program:
        return lambda: aws.sqs.Queue("q", tags={"a": policy}, opts=options(replace_on_changes=["tags"])) and None

    requests: list[AnalyzeRequest] = []

    def seen(request: AnalyzeRequest) -> AnalyzeResponse:
        requests.append(request)
        return AnalyzeResponse()

    pack: Any = SimpleNamespace(
        GetAnalyzerInfo=lambda _: AnalyzerInfo(),
        ConfigureStack=lambda _: None,
        Configure=lambda _: None,
        Analyze=seen,
        AnalyzeStack=lambda _: AnalyzeResponse(),
    )
    stack.apply(BARE, program("a"))
    stack.apply(BARE, program("b"))
    stack.apply(BARE, program("b"), judge=lambda graph: analyze(pack, graph))
    [shown] = [request.properties["name"] for request in requests if request.type == "aws:sqs/queue:Queue"]
    assert {shown} == names(stack.cloud)
    assert shown.startswith("q-")
