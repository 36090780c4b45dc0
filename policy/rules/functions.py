"""Rules about functions: who invokes them, where failures go, what runs them and what their settings give away."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from framework import aws
from framework.rule import Config, Rule, Setting, Undecided, Verdict, advice, switch, texts
from framework.stack import Resource, Stack, is_arn, named_in
from framework.values import MISSING, UNKNOWN
from pulumi_policy import Severity

# Services that invoke a function asynchronously.
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
_ASYNCHRONOUS = ("sns.amazonaws.com", "s3.amazonaws.com", "events.amazonaws.com")

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")
_JAVAS = ("java8.al2", "java11", "java17", "java21", "java25")
_OTHERS = ("dotnet8", "dotnet10", "nodejs22.x", "nodejs24.x", "provided.al2023", "ruby3.3", "ruby3.4")

_KEY_MATERIAL = re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----")


def asynchronous_failures_kept(function: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """What fails after an asynchronous invocation goes somewhere; a queue's consumer is never invoked that way."""
    invokers = [permission.get("principal") for permission in stack.pointing(function, aws.PERMISSION, "function")]
    found = sorted(service for service in _ASYNCHRONOUS if service in invokers)
    if not found or function.get("deadLetterConfig", "targetArn") is not MISSING:
        return
    for settings in stack.pointing(function, aws.INVOKE_CONFIG, "functionName"):
        if settings.get("destinationConfig", "onFailure", "destination") is not MISSING:
            return
    yield f"is invoked by {', '.join(found)} and has neither deadLetterConfig nor an onFailure destination"


def permission_scoped(resource: Resource, _config: Config) -> Iterator[Verdict]:
    """Only the intended caller may invoke the function."""
    auth = resource.get("authorizationType" if resource.type == aws.FUNCTION_URL else "functionUrlAuthType")
    if auth == "NONE":
        yield "lets anyone on the internet call the function by its URL"
    elif auth is UNKNOWN:
        yield Undecided("authorizationType")
    elif resource.type == aws.PERMISSION:
        yield from _caller_problems(resource)


def _caller_problems(permission: Resource) -> Iterator[Verdict]:
    principal, source, account = (permission.get(key) for key in ("principal", "sourceArn", "sourceAccount"))
    if principal == "*" and permission.get("principalOrgId") is MISSING:
        yield "lets every AWS account invoke the function"
    if principal is UNKNOWN:
        yield Undecided("principal")
    if not isinstance(principal, str) or not principal.endswith(".amazonaws.com") or account is not MISSING:
        return
    if source is MISSING:
        yield f"lets {principal} invoke the function for any account: it has neither sourceArn nor sourceAccount"
    elif source is UNKNOWN:
        yield Undecided("sourceArn")
    elif not _names_source(source):
        yield f"lets {principal} invoke the function for the pattern {source}"


def _names_source(arn: Any) -> bool:
    """Whether a pattern names one resource of one account, such as an API: what follows are its routes and stages."""
    fixed = re.sub(r"(:execute-api:.*:[a-z0-9]{10})\*", r"\1", str(arn))  # an API's id has ten characters, not more
    return "*" not in fixed or (is_arn(fixed) and fixed.split(":")[4].isdigit() and "*" not in named_in(fixed))


def runtime_and_limits(function: Resource, config: Config) -> Iterator[Verdict]:
    """The function runs on something that is maintained, within stated limits, and can be traced."""
    runtime = function.get("runtime")
    if runtime is UNKNOWN:
        yield Undecided("runtime")
    elif function.get("packageType") == "Zip" and runtime not in config["runtimes"]:
        stated = "no stated runtime" if runtime is MISSING else runtime
        yield f"runs on {stated}, not on one of {', '.join(config['runtimes'])}"
    # A pack sees a default that the provider filled in as if the program had set it: both at once were left to it.
    limits = {"timeout": 3, "memorySize": 128}
    untouched = all(function.get(key) == default for key, default in limits.items())
    if missing := [key for key in limits if untouched or not function.sets(key)]:
        yield f"leaves {' and '.join(missing)} to the default"
    tracing = function.get("tracingConfig", "mode")
    if config["requireTracing"] and tracing != "Active":
        yield Undecided("tracingConfig") if tracing is UNKNOWN else "is not traced (tracingConfig.mode)"


def environment_protected(function: Resource, config: Config) -> Iterator[Verdict]:
    """The environment gives no secret away. Values are looked at but never shown."""
    variables = function.get("environment", "variables")
    if not isinstance(variables, Mapping):
        if variables is UNKNOWN:
            yield Undecided("environment")
        return
    if UNKNOWN in variables.values():
        yield Undecided("environment")
    name_pattern = re.compile(config["namePattern"], re.IGNORECASE)
    for name, value in sorted(variables.items()):
        if _is_secret(name, value, name_pattern):
            yield f"has what looks like a secret in its environment variable {name}"
    if config["requireCmk"] and variables and function.get("kmsKeyArn") is MISSING:
        yield "has environment variables and no kmsKeyArn"


def _is_secret(name: str, value: Any, name_pattern: re.Pattern[str]) -> bool:
    if not isinstance(value, str):
        return False
    by_name = name_pattern.search(name) is not None and not value.startswith(("arn:", "/"))  # where one is kept
    return by_name or _KEY_MATERIAL.search(value) is not None


RULES = (
    advice(
        name="lambda-failure-destination-if-async",
        requires="A function that is invoked asynchronously must have a place for its failures.",
        remedy="set deadLetterConfig, or destinationConfig.onFailure in a lambda.FunctionEventInvokeConfig.",
        pillar="REL05",
        maps_to=("serverless-rules ES1007",),
        link="https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
        on=(aws.FUNCTION,),
        check_in_stack=asynchronous_failures_kept,
    ),
    Rule(
        name="lambda-permission-scoped",
        requires="A permission to invoke a function must name its caller, and a service's permission its source.",
        remedy="set sourceArn to one resource of one account, or sourceAccount; authorizationType AWS_IAM for a URL.",
        severity=Severity.CRITICAL,
        pillar="SEC03",
        maps_to=("Security Hub Lambda.1", "Checkov CKV_AWS_301", "Checkov CKV_AWS_364", "Checkov CKV_AWS_258"),
        link="https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
        on=(aws.PERMISSION, aws.FUNCTION_URL),
        check=permission_scoped,
    ),
    advice(
        name="lambda-runtime-and-limits",
        requires="A function must have a supported runtime, a chosen timeout and memory size, and tracing.",
        remedy="set runtime, timeout, memorySize and tracingConfig.mode to Active.",
        pillar="OPS06",
        maps_to=("Security Hub Lambda.2", "Checkov CKV_AWS_363", "Checkov CKV_AWS_50", "cdk-nag L1"),
        link="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
        on=(aws.FUNCTION,),
        settings=(
            texts("runtimes", (*_PYTHONS, *_JAVAS, *_OTHERS), "Runtimes that may be used."),
            switch("requireTracing", "Whether X-Ray tracing must be active.", default=True),
        ),
        check=runtime_and_limits,
    ),
    advice(
        name="lambda-env-protected",
        requires="A function's environment must not hold secrets.",
        remedy="keep the secret in Secrets Manager or Parameter Store and pass its ARN or path.",
        severity=Severity.HIGH,
        pillar="SEC08",
        maps_to=("Checkov CKV_AWS_45", "Checkov CKV_AWS_173"),
        link="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
        on=(aws.FUNCTION,),
        settings=(
            switch("requireCmk", "Whether environment variables need a kmsKeyArn.", default=False),
            Setting(
                name="namePattern",
                default="SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE_KEY|API_KEY",
                meaning="Regular expression for names of variables that would hold a secret.",
                schema={"type": "string"},
            ),
        ),
        check=environment_protected,
    ),
)
