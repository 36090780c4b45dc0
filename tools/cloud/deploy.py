"""Deploys a stack on a local cloud of its own and describes where to reach it."""

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import grpc

from tools.cloud.cloud import CloudError, running_cloud
from tools.cloud.deployment import Deployment
from tools.interrupts import cleaning_up
from tools.recording.graph import Graph, stack_config
from tools.recording.pack import analyze, check, serve
from tools.recording.report import Report, print_report
from tools.terminal import Printer


def enforcing(printer: Printer, judge: Callable[[Graph], Report] = check) -> Callable[[Graph], None]:
    """Holds a preview against the policy pack, and says what came of it; `judge` has another pack than a new one.

    What it returns raises CloudError with the pack's report if a mandatory rule is broken.
    """

    def enforce(graph: Graph) -> None:
        report = judge(graph)
        if report.mandatory:
            text = io.StringIO()
            print_report(report, printer=Printer(out=text))
            raise CloudError(
                f"{text.getvalue()}nothing was deployed: fix the program, or exempt the resource with a reason"
            )
        advisory = f", {len(report.violations)} advisory violations" if report.violations else ""
        printer.line(f"Policies: {report.rules} rules hold for {report.resources} resources{advisory}")

    return enforce


@contextlib.contextmanager
def kept_pack(stack: str) -> Iterator[Callable[[Graph], Report]]:
    """Judges by a pack that runs as long as the block: its start takes most of an edit's time."""
    with serve(stack=stack) as pack:

        def judge(graph: Graph) -> Report:
            try:
                return analyze(pack, graph)
            except grpc.RpcError:  # it has ended
                return check(graph)

        yield judge


@contextlib.contextmanager
def deployed(
    *,
    stack: str = "local",
    port: int | None = None,
    program: Callable[[], object] | None = None,
    config: Mapping[str, str] | None = None,
    judge: Callable[[Graph], object] = lambda _: None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Deployment]:
    """A stack on a local cloud for as long as the block runs.

    `config` overrides the stack file's values, with full keys; `judge` may refuse the program's preview; `variables`
    are what the emulator is told.
    Raises CloudError if the cloud cannot start, cannot create a resource, or the program fails, and pulumi.RunError
    if the program refuses its configuration.
    """
    _, values = stack_config(stack)
    values |= dict(config or {})
    with running_cloud(region=values["aws:region"], port=port, variables=variables) as cloud:
        deployment = Deployment(cloud, stack=stack, config=config)
        deployment.apply(program=program, judge=judge)
        yield deployment


def check_place(path: Path | None) -> None:
    """Refuse a file for addresses that holds anything but those of a cloud that has ended. Raises CloudError."""
    if path is None:
        return
    if not path.parent.is_dir():
        raise CloudError(f"the folder of --outputs must exist, got {path}: create {path.parent}")
    if not path.exists():
        return
    try:
        ended = not Path(json.loads(path.read_text())["caBundle"]).exists()
    except (OSError, ValueError, TypeError, KeyError):
        ended = False
    if not ended:
        raise CloudError(f"--outputs must be a new file, got {path}, which is in use: name another, or remove it")


@contextlib.contextmanager
def written_addresses(deployment: Deployment, path: Path | None) -> Iterator[Path]:
    """Keep a deployment's addresses in a file, or beside the cloud's own; only its owner may read it. Yields its path.

    The file appears whole or not at all, and goes with the cloud that it describes. Raises CloudError if there is
    something else in its place.
    """
    path = path or deployment.cloud.folder / "addresses.json"
    check_place(path)
    try:
        write_addresses(deployment, path)
        yield path
    finally:
        cleaning_up()
        _draft(path).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            if path.read_text() == _text(deployment):
                path.unlink()


def write_addresses(deployment: Deployment, path: Path) -> None:
    """Write a deployment's addresses as they are now."""
    draft = _draft(path)
    draft.touch(mode=0o600)
    draft.write_text(_text(deployment))
    draft.replace(path)


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


def _text(deployment: Deployment) -> str:
    return json.dumps(deployment.addresses(), indent=2) + "\n"
