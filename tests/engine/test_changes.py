"""How one recovers from drift and accidents, on the real engine."""

import json
from collections.abc import Iterator

import pytest

from tests.engine.engine import Engine, started


@pytest.fixture(scope="module")
def running(engine: Engine) -> Engine:
    engine.up("dev")
    return engine


def changes(engine: Engine, *words: str) -> dict[str, str]:
    """What a preview would do, by the name of the resource; what stays as it is, or is only read, is left out."""
    steps = engine.steps("dev", *words)
    return {step["urn"].split("::")[-1]: step["op"] for step in steps if step["op"] not in ("same", "refresh")}


def test_drift_is_seen_and_repaired(running: Engine) -> None:
    sqs, url = running.aws("sqs"), running.output("dev", "queueUrl")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7", "RedrivePolicy": ""})
    assert changes(running) == {}  # what the state says is believed until it is refreshed
    assert changes(running, "--refresh") == {"OrderQueue": "update"}
    running.pulumi("up --yes --refresh --policy-pack policy", "dev")
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "180"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 3


def test_what_was_deleted_by_hand_is_created_again(running: Engine) -> None:
    name = running.output("dev", "dashboardName")
    running.aws("cloudwatch").delete_dashboards(DashboardNames=[name])
    assert changes(running, "--refresh") == {"OrderAlarms-dashboard": "create"}
    running.pulumi("up --yes --refresh", "dev")
    assert running.aws("cloudwatch").get_dashboard(DashboardName=name)["DashboardName"] == name


@pytest.fixture
def verbatim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A stack whose resources have the bare names."""
    with started(tmp_path_factory.mktemp("verbatim")) as engine:
        engine.run("pulumi", "config", "set", "--stack", "dev", "--path", "pulumi:autonaming.mode", "verbatim")
        yield engine


def test_a_stack_with_bare_names_recovers_from_an_update_that_broke(verbatim: Engine) -> None:
    """Somebody else's log group has the name that the stack wants: half of the stack is created."""
    logs = verbatim.aws("logs")
    logs.create_log_group(logGroupName="ProcessOrder-logs")
    broken = verbatim.up("dev", fails=True)
    assert "creating ProcessOrder-logs" in broken
    assert "ResourceAlreadyExistsException" in broken
    logs.delete_log_group(logGroupName="ProcessOrder-logs")
    verbatim.up("dev")
    verbatim.nothing_is_left("dev")
    assert verbatim.output("dev", "queueArn").endswith(":OrderQueue")
    assert verbatim.output("dev", "tableName") == "Orders"
    assert verbatim.output("dev", "functionName") == "ProcessOrder"
