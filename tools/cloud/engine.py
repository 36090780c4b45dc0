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
    with practising(region=region, root=root) as (folder, environment):
        if not command:
            printer.line("A shell with the Pulumi CLI on a local cloud, until `exit`; its stack files are copies.")
        words = [*command] or [os.environ.get("SHELL", "/bin/sh")]
        return subprocess.run(words, cwd=folder, env=environment, check=False).returncode


@contextlib.contextmanager
def practising(*, region: str, root: Path = ROOT) -> Iterator[tuple[Path, dict[str, str]]]:
    """Where, and in which environment, `pulumi` works on a local cloud, for as long as the block runs."""
    cli = shutil.which("pulumi")
    if cli is None:
        raise CloudError(f"pulumi must be on the PATH, and is not; to install it: {INSTALL}")
    with (
        running_cloud(region=region) as cloud,
        serving(cloud) as port,
        tempfile.TemporaryDirectory(prefix="orders-engine-") as temporary,
    ):
        folder = _project(root, Path(temporary) / root.name)
        environment = _environment(cloud, port, Path(temporary)) | {"PWD": str(folder)}
        if environment["PULUMI_BACKEND_URL"].startswith(f"file://{temporary}"):
            _make_stacks(cli, environment, folder)
        yield folder, environment


def _project(root: Path, folder: Path) -> Path:
    """The project again, by links to all of it but the stack files: the CLI writes into those, and removes them."""
    folder.mkdir()
    for path in root.iterdir():
        if path.match("Pulumi.*.yaml"):
            shutil.copy(path, folder)
        else:
            (folder / path.name).symlink_to(path)
    return folder


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


def _make_stacks(cli: str, environment: Mapping[str, str], folder: Path) -> None:
    """Each stack that has a file, in the new backend."""
    for path in sorted(folder.glob("Pulumi.*.yaml")):
        command = [cli, "stack", "init", path.name.split(".")[1], "--no-select", "--cwd", str(folder)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CloudError(f"`{' '.join(command[1:])}` must succeed, but the CLI said:\n{done.stderr.strip()}")
