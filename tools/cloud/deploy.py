"""Deploys a stack on a local cloud of its own and describes where to reach it."""

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tools.cloud.cloud import CloudError, running_cloud
from tools.cloud.deployment import Deployment
from tools.interrupts import cleaning_up
from tools.recording.graph import Graph, stack_config
from tools.recording.pack import analyze, check
from tools.recording.report import print_report
from tools.terminal import Printer


def enforcing(printer: Printer, pack: AnalyzerStub | None = None) -> Callable[[Graph], None]:
    """Holds a preview against a policy pack that runs, or a new one, and says what came of it.

    What it returns raises CloudError with the pack's report if a mandatory rule is broken.
    """

    def enforce(graph: Graph) -> None:
        [report] = [analyze(pack, graph)] if pack else check(graph)
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
    """Refuse to write addresses over anything, or into a folder that does not exist. Raises CloudError."""
    if path and not path.parent.is_dir():
        raise CloudError(f"the folder of --outputs must exist, got {path}: create {path.parent}")
    if path and path.exists():
        raise CloudError(f"--outputs must be a new file, got {path}: name another, or remove it")


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
        with contextlib.suppress(OSError):
            if str(deployment.cloud.ca_bundle) in path.read_text():  # not what somebody else has put there
                path.unlink()


def write_addresses(deployment: Deployment, path: Path) -> None:
    """Write a deployment's addresses as they are now."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(deployment.addresses(), indent=2) + "\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
