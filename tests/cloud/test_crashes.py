"""A handler that is broken is seen: its crash is told with its place, and the demo stops."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.cloud.cloud import CloudError
from tools.cloud.demo import settle
from tools.cloud.deployment import Deployment
from tools.cloud.resources.functions import zipped
from tools.ops.logs import Follower, since
from tools.ops.stack import local_stack
from tools.terminal import Bar

HANDLER, STARTED = "process_order/lambda_function.py", "    started = time.monotonic()\n"


def replace_code(deployment: Deployment, assets: dict[str, Any]) -> None:
    functions, name = deployment.client("lambda"), deployment.outputs["functionName"]
    functions.update_function_code(FunctionName=name, ZipFile=zipped({"assets": assets}))


@pytest.fixture
def assets(deployment: Deployment) -> Iterator[dict[str, Any]]:
    """The files of the function, which has them again afterwards."""
    [function] = deployment.functions()
    yield function.inputs["code"]["assets"]
    deployment.client("sqs").purge_queue(QueueUrl=deployment.outputs["queueUrl"])
    replace_code(deployment, function.inputs["code"]["assets"])


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("    started = (\n", ["Runtime.ImportModuleError", "lambda_function.py, line "]),
        (
            "    raise ZeroDivisionError('no orders')\n",
            ['  File "/var/task/process_order/lambda_function.py", line ', "ZeroDivisionError: no orders (lambda_f"],
        ),
    ],
    ids=["does not parse", "raises"],
)
def test_the_demo_stops_with_the_crash_of_a_broken_handler(
    deployment: Deployment, assets: dict[str, Any], tmp_path: Path, broken: str, told: list[str]
) -> None:
    sound = Path(assets[HANDLER]["path"]).read_text()
    assert STARTED in sound
    (tmp_path / "broken.py").write_text(sound.replace(STARTED, broken, 1))
    replace_code(deployment, {**assets, HANDLER: {"path": str(tmp_path / "broken.py")}})
    log = Follower(local_stack("the local cloud", deployment.addresses()), start=since(0))
    deployment.client("sns").publish(TopicArn=deployment.outputs["topicArn"], Message="{}")
    with pytest.raises(CloudError, match=r"^the function must not crash, but did:\n") as stopped:
        settle(deployment, Bar(), 10, log)
    assert all(text in str(stopped.value) for text in told)
    assert "_worker.py" not in str(stopped.value)
