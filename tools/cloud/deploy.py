"""Deploys a stack on a local cloud of its own and describes where to reach it."""

import contextlib
import io
import json
import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pulumi

from tools.cloud.cloud import CloudError, running_cloud
from tools.cloud.deployment import Deployment
from tools.interrupts import cleaning_up
from tools.recording.graph import record, stack_config
from tools.recording.pack import check, print_report
from tools.terminal import Printer


def enforce_policies(stack: str, printer: Printer) -> None:
    """Hold a stack against the policy pack as a preview of its first deployment would, and say what came of it.

    Raises CloudError with the pack's report if a mandatory rule is broken.
    """
    report = check(record(stack=stack, preview=True))
    if report.mandatory:
        text = io.StringIO()
        print_report(report, printer=Printer(out=text))
        raise CloudError(f"{text.getvalue()}nothing was created: fix the program, or exempt the resource with a reason")
    advisory = f", {len(report.violations)} advisory violations" if report.violations else ""
    printer.line(f"Policies: {report.rules} rules hold for {report.resources} resources{advisory}")


@contextlib.contextmanager
def deployed(
    *,
    stack: str = "local",
    port: int | None = None,
    program: Callable[[], None] | None = None,
    config: Mapping[str, str] | None = None,
) -> Iterator[Deployment]:
    """A stack on a local cloud for as long as the block runs.

    `config` overrides the stack file's values, with full keys.
    Raises CloudError if the cloud cannot start, cannot create a resource, or the program fails, and pulumi.RunError
    if the program refuses its configuration.
    """
    _, values = stack_config(stack)
    values |= dict(config or {})
    with running_cloud(region=values["aws:region"], port=port) as cloud:
        deployment = Deployment(cloud, stack=stack, config=config)
        try:
            deployment.apply(program=program)
        except (CloudError, pulumi.RunError):
            raise
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            place = next((frame for frame in reversed(frames) if "site-packages" not in frame.filename), frames[-1])
            raise CloudError(
                f"the Pulumi program must run to its end, but failed at {place.filename}:{place.lineno}: "
                f"{type(error).__name__}: {error}"
            ) from error
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
    text = json.dumps(deployment.addresses(), indent=2) + "\n"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(text)
        draft.replace(path)
        yield path
    finally:
        cleaning_up()
        draft.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            if path.read_text() == text:
                path.unlink()
