"""What AWS would tell of a resource whose type has no row of its own, made up from the provider's own classes."""

import hashlib
import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from pulumi import _types

_APIS = ("aws:apigateway/restApi:RestApi", "aws:apigatewayv2/api:Api")


def id_of(token: str, name: str) -> str:
    """A resource's id: its name, or the ten characters that stand for an API."""
    return hashlib.sha256(name.encode()).hexdigest()[:10] if token in _APIS else name


def made_up(token: str, name: str, region: str, account: str, inputs: Mapping[str, Any]) -> dict[str, str]:
    """The texts that creation would add to a resource: ARNs that look like ARNs, and names for the rest."""
    service, _, kind = token.partition("/")
    arn = f"arn:aws:{service.split(':')[1]}:{region}:{account}:{kind.split(':')[-1]}/{name}"
    told = {key: arn if key.lower().endswith("arn") else f"{name}-{key}" for key in _computed(token)}
    if "executionArn" in told:  # programs write patterns behind it: an API's, or that of a stage of one
        api = inputs.get("restApi") or inputs.get("apiId")
        called = f"{api}/{inputs.get('stageName', name)}" if api else id_of(token, name)
        told["executionArn"] = f"arn:aws:execute-api:{region}:{account}:{called}"
    return told


def _computed(token: str) -> set[str]:
    """The texts among a type's outputs that no program can set."""
    package, module, kind = token.split(":")
    module = module.split("/")[0]
    try:
        # A module whose name is a word of Python's own has an underscore behind it.
        home = importlib.import_module(f"pulumi_{package}.{module}{'_' if module in ('lambda', 'import') else ''}")
    except ImportError:
        return set()
    class_ = getattr(home, kind, None)
    if class_ is None:
        return set()
    inputs = inspect.signature(class_._internal_init).parameters  # noqa: SLF001 - the only place that has them all
    names = _types.resource_py_to_pulumi_names(class_)
    settable = {told for own, told in names.items() if own in inputs}
    return {key for key, type_ in _types.resource_types(class_).items() if type_ is str and key not in settable}
