"""Functions and their event source mappings."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tools.cloud.cloud import Cloud, CloudError
from tools.cloud.resources.keeper import Values, lowered, present


@dataclass(frozen=True)
class Function:
    """A function from an archive; its id is its name."""

    cloud: Cloud
    honours: ClassVar = (
        "architectures code description environment handler kmsKeyArn loggingConfig memorySize name packageType role "
        "runtime tags timeout tracingConfig"
    )

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        function = self.cloud.client("lambda").create_function(
            FunctionName=name,
            Code={"ZipFile": zipped(inputs["code"])},
            **present(Architectures=inputs.get("architectures")),
            **_settings(inputs),
        )
        arn = function["FunctionArn"]
        return name, {
            "qualifiedArn": f"{arn}:$LATEST",
            "invokeArn": f"arn:aws:apigateway:{self.cloud.region}:lambda:path/2015-03-31/functions/{arn}/invocations",
            "version": "$LATEST",
            "lastModified": function["LastModified"],
            "sourceCodeHash": function["CodeSha256"],
            "sourceCodeSize": function["CodeSize"],
            "ephemeralStorage": {"size": 512},
        }

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        told = self.cloud.client("lambda").get_function_configuration(FunctionName=id_)
        values = lowered(told)
        variables = dict(told.get("Environment", {}).get("Variables", {}))
        variables.pop(LOG_LEVEL, None)
        return {
            **{key: values[key] for key in self.honours.split() if values.get(key)},
            **present(kmsKeyArn=told.get("KMSKeyArn") or None),
            "name": id_,
            "sourceCodeHash": told["CodeSha256"],
            "sourceCodeSize": told["CodeSize"],
            "environment": {"variables": variables} if variables else None,
        }

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        client = self.cloud.client("lambda")
        code, architectures = inputs["code"], inputs.get("architectures")
        if code.get("hash") != old["code"].get("hash") or architectures != old.get("architectures"):
            client.update_function_code(FunctionName=id_, ZipFile=zipped(code), **present(Architectures=architectures))
        if (settings := _settings(inputs)) != _settings(old):
            client.update_function_configuration(FunctionName=id_, **settings)

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("lambda").delete_function(FunctionName=id_)


LOG_LEVEL = "AWS_LAMBDA_LOG_LEVEL"
"""Lambda passes the log level to the function in this variable; MiniStack does not.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""


def _settings(inputs: Values) -> dict[str, Any]:
    """What a creation and an update of a function are told alike."""
    logging = inputs.get("loggingConfig") or {}
    level = present(**{LOG_LEVEL: logging.get("applicationLogLevel")})
    return present(
        Handler=inputs.get("handler"),
        Runtime=inputs.get("runtime"),
        Role=inputs["role"],
        Description=inputs.get("description"),
        Timeout=inputs.get("timeout"),
        MemorySize=inputs.get("memorySize"),
        Environment={"Variables": {**((inputs.get("environment") or {}).get("variables") or {}), **level}},
        KMSKeyArn=inputs.get("kmsKeyArn"),
        LoggingConfig={key[0].upper() + key[1:]: value for key, value in logging.items()} or None,
        TracingConfig={"Mode": inputs["tracingConfig"]["mode"]} if inputs.get("tracingConfig") else None,
    )


def zipped(archive: Values) -> bytes:
    """Zip an archive of files; without times, modes or order of this machine, the same files give the same bytes.

    Raises OSError if a file cannot be read.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for path, asset in sorted(archive["assets"].items()):
            entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, Path(asset["path"]).read_bytes())
    return buffer.getvalue()


POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


@dataclass(frozen=True)
class EventSourceMapping:
    """What feeds a function from a queue; its id is a UUID."""

    cloud: Cloud
    honours: ClassVar = (
        "batchSize enabled eventSourceArn filterCriteria functionName functionResponseTypes "
        "maximumBatchingWindowInSeconds scalingConfig tags"
    )

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        self._refuse_what_aws_does(inputs)
        mapping = self.cloud.client("lambda").create_event_source_mapping(
            EventSourceArn=inputs["eventSourceArn"], **_mapping(inputs)
        )
        id_ = mapping["UUID"]
        return id_, {"uuid": id_, "functionArn": mapping["FunctionArn"], "state": mapping["State"]}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        told = lowered(self.cloud.client("lambda").get_event_source_mapping(UUID=id_))
        return {
            **{key: told.get(key) for key in self.honours.split()},
            "uuid": id_,
            "functionArn": told["functionArn"],
            "functionName": told["functionArn"].split(":")[-1],
            "enabled": told["state"] in ("Enabled", "Enabling", "Creating", "Updating"),
        }

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        self.cloud.client("lambda").update_event_source_mapping(UUID=id_, **_mapping(inputs))

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("lambda").delete_event_source_mapping(UUID=id_)

    def _refuse_what_aws_does(self, inputs: Values) -> None:
        """The emulator polls without asking whether the role may, and once more for each further mapping.

        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        """
        client, source, function = self.cloud.client("lambda"), inputs["eventSourceArn"], inputs["functionName"]
        there = client.list_event_source_mappings(EventSourceArn=source, FunctionName=function)["EventSourceMappings"]
        if there:
            raise CloudError(
                f"queue and function must have one mapping, and {there[0]['UUID']} is theirs: delete it first"
            )
        role = client.get_function_configuration(FunctionName=function)["Role"]
        told = self.cloud.client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=list(POLLING), ResourceArns=[source]
        )["EvaluationResults"]
        if denied := [each["EvalActionName"] for each in told if each["EvalDecision"] != "allowed"]:
            raise CloudError(f"the function's role must be allowed to poll {source}, and lacks {', '.join(denied)}")


def _mapping(inputs: Values) -> dict[str, Any]:
    concurrency = (inputs.get("scalingConfig") or {}).get("maximumConcurrency")
    filters = [{"Pattern": each["pattern"]} for each in (inputs.get("filterCriteria") or {}).get("filters") or []]
    return present(
        FunctionName=inputs["functionName"],
        Enabled=inputs.get("enabled", True),
        BatchSize=inputs.get("batchSize"),
        MaximumBatchingWindowInSeconds=inputs.get("maximumBatchingWindowInSeconds"),
        FunctionResponseTypes=list(inputs.get("functionResponseTypes") or []),
        ScalingConfig={"MaximumConcurrency": int(concurrency)} if concurrency else None,
        FilterCriteria={"Filters": filters} if filters else None,
    )
