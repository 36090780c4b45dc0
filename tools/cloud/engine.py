"""`./orders engine`: the Pulumi CLI on a local cloud, with a provider and a backend of its own."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from tools.cloud.cloud import Cloud, CloudError, explained, running_cloud
from tools.cloud.service import serving
from tools.recording.graph import stack_config
from tools.root import ROOT
from tools.terminal import Printer

INSTALL = "https://www.pulumi.com/docs/install/"


@click.option("--region", help="of the local cloud; default: that of Pulumi.yaml")
@click.argument("command", nargs=-1)
def run(printer: Printer, *, command: Sequence[str], region: str | None) -> int:
    """Run a command, or a shell; its exit status."""
    with explained():
        return engine(command, region=region or stack_config("local")[1]["aws:region"], printer=printer)


def engine(command: Sequence[str], *, region: str, printer: Printer, root: Path = ROOT) -> int:
    """Run a command, or an interactive shell, in which `pulumi` works on a local cloud; its exit status.

    The command sees no AWS account: only the local cloud's endpoint and credentials. The state is in a backend of
    its own, in which each stack of the project exists already, unless PULUMI_BACKEND_URL names one.
    Raises CloudError if there is no CLI or the cloud cannot start.
    """
    with practising(region=region, root=root) as environment:
        if not command:
            printer.line("A shell with the Pulumi CLI on a local cloud, until `exit`.")
        words = [*command] or [os.environ.get("SHELL", "/bin/sh")]
        return subprocess.run(words, env=environment, check=False).returncode


@contextlib.contextmanager
def practising(*, region: str, root: Path = ROOT) -> Iterator[dict[str, str]]:
    """The environment in which `pulumi` works on a local cloud, for as long as the block runs."""
    cli = shutil.which("pulumi")
    if cli is None:
        raise CloudError(f"pulumi must be on the PATH, and is not; to install it: {INSTALL}")
    with (
        running_cloud(region=region) as cloud,
        serving(cloud) as port,
        tempfile.TemporaryDirectory(prefix="orders-engine-") as folder,
    ):
        environment = _environment(cloud, port, Path(folder))
        with _stacks(cli, environment, root) if _private(environment, folder) else contextlib.nullcontext():
            yield environment


def _environment(cloud: Cloud, port: int, folder: Path) -> dict[str, str]:
    """The user's environment without their AWS account, and with the local cloud in its place."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    if "PULUMI_BACKEND_URL" not in own:
        (folder / "state").mkdir()
        own |= {"PULUMI_BACKEND_URL": f"file://{folder}/state", "PULUMI_HOME": str(folder / "home")}
        own.pop("PULUMI_ACCESS_TOKEN", None)
    if not own.keys() & {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"}:
        own["PULUMI_CONFIG_PASSPHRASE"] = "local"  # noqa: S105 - guards nothing
    return own | {
        "PULUMI_DEBUG_PROVIDERS": f"aws:{port}",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "AWS_ENDPOINT_URL": cloud.endpoint,
        **dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), cloud.region),
        # The user's proxy is not asked to find this machine.
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
        **cloud.credentials,
    }


def _private(environment: Mapping[str, str], folder: str) -> bool:
    return environment["PULUMI_BACKEND_URL"].startswith(f"file://{folder}")


@contextlib.contextmanager
def _stacks(cli: str, environment: Mapping[str, str], root: Path) -> Iterator[None]:
    """Each stack that has a file, in the new backend.

    The CLI writes a salt into the files and their values in its own style: what nobody has changed meanwhile is put
    back as it was, and what somebody has loses the salt.
    """
    before = {path: path.read_text() for path in sorted(root.glob("Pulumi.*.yaml"))}
    after = dict(before)
    try:
        for path in before:
            command = [cli, "stack", "init", path.name.split(".")[1], "--no-select", "--cwd", str(root)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise CloudError(f"`{' '.join(command[1:])}` must succeed, but the CLI said:\n{done.stderr.strip()}")
            after[path] = path.read_text()
        yield
    finally:
        for path, text in before.items():
            now = path.read_text()
            lines = [line for line in now.splitlines(keepends=True) if not line.startswith("encryptionsalt:")]
            path.write_text(text if now == after[path] else "".join(lines))
