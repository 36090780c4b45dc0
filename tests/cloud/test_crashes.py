"""A handler that is broken is seen: its crash is told with its place, and the demo stops."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tree import copied
from tools.cloud.cloud import CloudError
from tools.cloud.demo import settle
from tools.cloud.deployment import Deployment
from tools.ops.logs import Follower, since
from tools.ops.stack import local_stack
from tools.terminal import Bar

STARTED = "    started = time.monotonic()\n"


@pytest.fixture
def breakable(deployment: Deployment) -> Iterator[Deployment]:
    """The shared cloud, which is as it was afterwards."""
    yield deployment
    deployment.client("sqs").purge_queue(QueueUrl=deployment.outputs["queueUrl"])
    deployment.apply()


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
    breakable: Deployment, tmp_path: Path, broken: str, told: list[str]
) -> None:
    handler = copied(tmp_path) / "functions/process_order/lambda_function.py"
    sound = handler.read_text()
    assert STARTED in sound
    handler.write_text(sound.replace(STARTED, broken, 1))
    breakable.apply(tmp_path)
    log = Follower(local_stack("the local cloud", breakable.addresses()), start=since(0))
    breakable.client("sns").publish(TopicArn=breakable.outputs["topicArn"], Message="{}")
    with pytest.raises(CloudError, match=r"^the function must not crash, but did:\n") as stopped:
        settle(breakable, Bar(), 10, log)
    assert all(text in str(stopped.value) for text in told)
    assert "_worker.py" not in str(stopped.value)
