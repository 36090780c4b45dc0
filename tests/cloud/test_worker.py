"""A function on the local cloud imports what it could import on Lambda."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tools.cloud.deployment import Deployment
from tools.cloud.resources.functions import zipped

LOOK = """
import importlib, sys
def handler(event, context):
    try:
        importlib.import_module(event)
    except ImportError as error:
        return str(error)
    return "imported"
"""


@pytest.fixture(scope="module")
def function(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Make a function that tries to import what it is sent the name of."""
    source = tmp_path_factory.mktemp("look") / "look.py"
    source.write_text(LOOK)
    code = zipped({"assets": {"look.py": {"path": str(source)}}})
    functions = deployment.client("lambda")
    functions.create_function(
        FunctionName="Look",
        Code={"ZipFile": code},
        Handler="look.handler",
        Runtime="python3.12",
        Role=functions.get_function_configuration(FunctionName=deployment.outputs["functionName"])["Role"],
        Timeout=20,
    )
    yield lambda name: json.load(functions.invoke(FunctionName="Look", Payload=json.dumps(name))["Payload"])
    functions.delete_function(FunctionName="Look")


def test_it_has_the_standard_library_and_boto3_with_what_that_brings_and_nothing_else(function: Any) -> None:
    for name in ("json", "ssl", "ctypes", "boto3", "botocore.client", "urllib3", "dateutil.parser"):
        assert function(name) == "imported"
    for name in ("requests", "pulumi", "yaml", "pytest", "tools", "functions", "ministack"):
        assert function(name) == f"No module named {name!r}"
