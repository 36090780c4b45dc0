"""A deployed stack: the addresses it exports, and clients for its services."""

import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.ops.decoding import decode
from tools.ops.failure import UNREACHABLE, Failure
from tools.root import ROOT

EXPORTS = (
    "topicArn",
    "queueUrl",
    "deadLetterQueueUrl",
    "subscriptionDeadLetterQueueUrl",
    "tableName",
    "functionName",
    "logGroupName",
    "region",
)
"""What every command relies on; the program exports them."""
LOCAL_KEYS = ("endpoint", "region", "caBundle", "accessKeyId", "secretAccessKey", "outputs")
"""What the file of `./orders local --no-page --outputs FILE` holds."""
OWN = ("queue", "topic")
"""The dead letters that are to become orders in the table; what other consumers make of theirs is not known here."""
CONNECTIONS = 16


@dataclass(frozen=True, kw_only=True)
class DeadLetters:
    """Where the dead-letter queue of a consumer is, and the queue that its messages belong to."""

    url: str
    queue_url: str


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Where a stack is, and how to speak to it."""

    origin: str
    """Where the addresses come from, as the user would say it."""
    outputs: Mapping[str, Any]
    """The stack's exports."""
    make_client: Callable[[str], Any] = field(repr=False)
    """Makes the client of a service."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables by which the AWS CLI and SDKs reach it."""
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str) -> Any:
        """The client of a service, made at first use. Threads may share it, but must not be the first to ask."""
        if service not in self._clients:
            self._clients[service] = self.make_client(service)
        return self._clients[service]

    def __getitem__(self, export: str) -> str:
        return str(self.outputs[export])

    @property
    def dead_letters(self) -> dict[str, DeadLetters]:
        """The dead-letter queues by what could not handle their messages.

        `queue` is the consumer that stores the orders and `topic` the delivery to it; any other consumer has a name.
        """
        own = self["queueUrl"]
        found = {
            "queue": DeadLetters(url=self["deadLetterQueueUrl"], queue_url=own),
            "topic": DeadLetters(url=self["subscriptionDeadLetterQueueUrl"], queue_url=own),
        }
        others = [queue for queue in self.outputs.get("queues", ()) if queue["url"] != own]
        return found | {q["name"]: DeadLetters(url=q["deadLetterQueueUrl"], queue_url=q["url"]) for q in others}

    def sources(self, name: str | None) -> tuple[str, ...]:
        """The keys of `dead_letters` that `--from` means; all of them without a name.

        Raises:
            Failure: there is none of that name.
        """
        known = tuple(self.dead_letters)
        if name is not None and name not in known:
            raise Failure(f"--from must be one of {', '.join(known)}, got {name}")
        return known if name is None else (name,)

    @property
    def queues(self) -> list[str]:
        """The URL of every queue, dead-letter queues included; first the one that the orders wait in."""
        return list(dict.fromkeys(url for each in self.dead_letters.values() for url in (each.queue_url, each.url)))

    @functools.cached_property
    def log_groups(self) -> dict[str, str]:
        """The log group of each function, by its name; first that of the function which stores the orders."""
        own, *others = self.functions
        found = {own: self["logGroupName"]}
        for name in others:
            known = self.client("lambda").get_function_configuration(FunctionName=name)
            found[name] = known.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
        return found

    def function_of(self, source: str) -> str | None:
        """The function that reads a consumer's queue; None if something else does."""
        queue = self.dead_letters[source].queue_url.rpartition("/")[2]
        for name in self.functions:
            mappings = self.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
            if any(mapping["EventSourceArn"].rpartition(":")[2] == queue for mapping in mappings):
                return name
        return None

    @property
    def functions(self) -> list[str]:
        """The names of the functions; first the one that stores the orders."""
        return list(self.outputs.get("functionNames", [self["functionName"]]))


def connect(*, stack: str | None, outputs: str | None) -> Stack:
    """The stack that Pulumi knows by a name, or whose addresses a file holds.

    Raises:
        Failure: neither or both are given, or the addresses are missing, malformed or incomplete.
    """
    if bool(stack) == bool(outputs):
        raise Failure(
            "the stack must be named once, by --stack NAME or by --outputs FILE: use --stack dev for a stack of "
            "Pulumi's, or --outputs FILE for the file that `./orders local --no-page --outputs FILE` or "
            "`pulumi stack output --json > FILE` wrote"
        )
    if stack:
        return aws_stack(f"stack {stack}", _decode(_pulumi_outputs(stack), f"the outputs of stack {stack}"))
    path = Path(str(outputs))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(
            f"--outputs must be a readable file, got {path} ({error}): `./orders local --outputs {path}` writes "
            f"it while the local cloud runs, `pulumi stack output --json > {path}` for a stack on AWS"
        ) from None
    document = _decode(text, str(path))
    return local_stack(str(path), document) if "endpoint" in document else aws_stack(str(path), document)


def aws_stack(origin: str, outputs: Mapping[str, Any]) -> Stack:
    """A stack on AWS: its own region, and the credentials that boto3 finds in the usual places."""
    _require(EXPORTS, outputs, origin)

    @functools.cache
    def session() -> Any:
        return botocore_session()

    def make(service: str) -> Any:
        return session().create_client(service, region_name=str(outputs["region"]), config=_config())

    environment = {name: str(outputs["region"]) for name in ("AWS_REGION", "AWS_DEFAULT_REGION")}
    return Stack(origin=origin, outputs=outputs, make_client=make, environment=environment)


def local_stack(origin: str, document: Mapping[str, Any]) -> Stack:
    """A stack on a local cloud: nothing but what the file says is used, and nothing but this machine is reached."""
    _require(LOCAL_KEYS, document, origin)
    outputs = document["outputs"]
    _require(EXPORTS, outputs if isinstance(outputs, dict) else {}, f"the outputs in {origin}")
    endpoint = str(document["endpoint"])
    if urlsplit(endpoint).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise Failure(
            f"the endpoint in {origin} must be on this machine, got {endpoint}: a file with an endpoint is for the "
            "local cloud; for a stack on AWS use --stack NAME or save `pulumi stack output --json`"
        )
    if not Path(str(document["caBundle"])).is_file():
        raise Failure(
            f"the local cloud of {origin} must be running, but its certificate {document['caBundle']} is gone: "
            f"start it with `./orders local --no-page --outputs {origin}`",
            UNREACHABLE,
        )

    names = ("accessKeyId", "secretAccessKey", "sessionToken")
    make = local_clients(endpoint, document["region"], document["caBundle"], *(document.get(name) for name in names))
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CA_BUNDLE": str(document["caBundle"]),
        "AWS_ACCESS_KEY_ID": str(document["accessKeyId"]),
        "AWS_SECRET_ACCESS_KEY": str(document["secretAccessKey"]),
        "AWS_REGION": str(document["region"]),
        "AWS_DEFAULT_REGION": str(document["region"]),
        "NO_PROXY": "127.0.0.1,localhost",
    }
    return Stack(origin=origin, outputs=outputs, make_client=make, environment=environment)


def local_clients(
    endpoint: str, region: str, ca_bundle: str, key_id: str | None, secret: str | None, token: str | None = None
) -> Callable[[str], Any]:
    """Makes clients of a local cloud, for which none of the user's settings, credentials or proxies is read."""

    @functools.cache
    def session() -> Any:
        """One for all clients: what each session reads from disk takes longer than all of its clients."""
        made = botocore_session(_unread())
        made.set_credentials(key_id, secret, token)
        return made

    config = functools.cache(lambda: _config(proxies={}, ignore_configured_endpoint_urls=True))
    return lambda service: session().create_client(
        service, region_name=region, endpoint_url=endpoint, verify=ca_bundle, config=config()
    )


def botocore_session(variables: Mapping[str, Any] | None = None) -> Any:
    """A session of botocore, the lower half of boto3: the upper one would take as long to load again, for nothing."""
    from botocore.session import Session

    made = Session(session_vars=variables)
    made.register_component("data_loader", _loader(made.get_config_variable("data_path")))
    return made


@functools.cache
def _loader(data_path: str | None) -> Any:
    """Reads what botocore knows of the services, once for all sessions: it takes longer than all that they do else."""
    from botocore.loaders import create_loader

    return create_loader(data_path)


def _unread() -> dict[str, tuple[Any, ...]]:
    """Every setting of botocore at its default, whatever the user's environment and files say."""
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as SETTINGS

    no_file = (None, None, os.devnull, None)
    defaults = {name: (None, None, default, convert) for name, (_, _, default, convert) in SETTINGS.items()}
    return defaults | {"config_file": no_file, "credentials_file": no_file}


def _config(**more: Any) -> Any:
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": 4}
    return Config(max_pool_connections=CONNECTIONS, connect_timeout=5, read_timeout=30, retries=retries, **more)


def _pulumi_outputs(stack: str) -> str:
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise Failure(
            "--stack must find the Pulumi CLI, but `pulumi` is not on the PATH: install it "
            "(https://www.pulumi.com/docs/install/), or pass --outputs FILE with saved outputs",
            UNREACHABLE,
        )
    command = [pulumi, "stack", "output", "--json", "--non-interactive", "--stack", stack]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"`{' '.join(command[1:])}` must succeed, but Pulumi said:\n{done.stderr.strip()}", UNREACHABLE)
    return done.stdout


def _decode(text: str, origin: str) -> dict[str, Any]:
    try:
        document = decode(text)
    except ValueError as error:
        raise Failure(f"{origin} {error}: `pulumi stack output --json` prints what is meant") from None
    if not isinstance(document, dict):
        raise Failure(f"{origin} must be a JSON object, as `pulumi stack output --json` prints it; it is not")
    return document


def _require(names: tuple[str, ...], values: Mapping[str, Any], origin: str) -> None:
    if missing := [name for name in names if not values.get(name)]:
        raise Failure(
            f"{origin} must hold {', '.join(missing)}, but does not: is it the outputs of this project's stack? "
            "Deploy it, then save its outputs again"
        )
