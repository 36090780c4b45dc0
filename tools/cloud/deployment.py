"""A stack on the local cloud: what runs, and the program applied to it as the Pulumi engine does."""

import contextlib
import dataclasses
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from tools.cloud import provider
from tools.cloud.application import Application, Running, Step
from tools.cloud.cloud import Cloud, CloudError
from tools.recording.graph import Graph, program, record, stack_config
from tools.recording.running import limited, own_modules
from tools.recording.types import default_tags
from tools.root import ROOT

PATIENCE = 30.0
"""Seconds that a program may take without registering anything."""


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What one application of the program did."""

    steps: tuple[Step, ...]
    seconds: float

    def __str__(self) -> str:
        return "; ".join(map(str, self.steps)) or "nothing to change"


class NotAppliedError(CloudError):
    """A program was applied in part; the text says which part was, and which was not."""

    def __init__(self, reason: str, steps: tuple[Step, ...], missing: tuple[Step, ...]) -> None:
        done = f"already applied: {'; '.join(map(str, steps))}" if steps else "nothing was applied"
        names = ", ".join(sorted({step.name for step in missing}))
        super().__init__("; ".join([reason, done, *([f"not applied: {names}"] if names else [])]))


class Deployment:
    """A stack that runs on a local cloud."""

    def __init__(
        self,
        cloud: Cloud,
        *,
        stack: str = "local",
        config: Mapping[str, str] | None = None,
        say: Callable[[str], object] = sys.stderr.write,
    ) -> None:
        """`config` overrides the stack file's values; `say` is told of inputs that make no difference here."""
        self.cloud, self.stack, self.say = cloud, stack, say
        self.config = dict(config or {})
        self.problem: Callable[[Mapping[str, Any]], str] = lambda _: ""
        """Why a function's new code is not to be deployed, by its inputs; empty: nothing speaks against it."""
        self.resources: dict[str, Running] = {}
        """What runs, by URN."""
        self.outputs: Mapping[str, Any] = {}
        """The stack's exports."""
        self.seconds = 0.0
        """How long the latest application took."""
        self._replaced: list[Running] = []

    def client(self, service: str) -> Any:
        """A boto3 client of one service of this cloud."""
        return self.cloud.client(service)

    def addresses(self) -> dict[str, Any]:
        """What another process needs to use the stack, as JSON-ready values."""
        return {
            "endpoint": self.cloud.endpoint,
            "region": self.cloud.region,
            "accountId": self.cloud.account,
            "caBundle": str(self.cloud.ca_bundle),
            "accessKeyId": self.cloud.access_key_id,
            "secretAccessKey": self.cloud.secret_access_key,
            "outputs": dict(self.outputs),
        }

    def apply(
        self,
        root: Path = ROOT,
        program: Callable[[], object] | None = None,
        *,
        judge: Callable[[Graph], object] = lambda _: None,
    ) -> Applied:
        """Run the program in a folder, or the one given, and bring what runs to what it registers.

        First in a preview, which `judge` may refuse, and after which nothing has changed if it fails; then again, but
        for one that only updates what runs, of which the preview has told everything.
        Raises pulumi.RunError if the program refuses its configuration, CloudError if it fails, and NotAppliedError
        if only a part could be applied.
        """
        started = time.monotonic()
        try:
            plan, graph = self._previewed(root, program, judge)
        except (CloudError, pulumi.RunError):
            raise
        except (Exception, SystemExit) as error:  # the program may be edited just now, and do anything
            raise CloudError(_failure(error, root)) from error
        work = self._application(root, preview=False)
        work.broken = plan.broken
        try:
            if not (plan.foreseen and work.repeat(graph.resources)):
                graph = self._run(work, root, program)
            work.delete_unregistered()
        except (Exception, SystemExit) as error:
            missing = tuple(step for step in plan.steps.values() if step.urn not in work.steps)
            reason = str(error) if isinstance(error, CloudError) else _failure(error, root)
            raise NotAppliedError(reason, tuple(work.steps.values()), missing) from error
        self.outputs = dict(sorted(graph.exports.items()))
        self.seconds = time.monotonic() - started
        return Applied(steps=tuple(work.steps.values()), seconds=self.seconds)

    def _previewed(
        self, root: Path, program: Callable[[], object] | None, judge: Callable[[Graph], object]
    ) -> tuple[Application, Graph]:
        """What would be done, and what was registered, by a program that nobody wrote meanwhile."""
        while True:
            written = _written(root)
            plan = self._application(root, preview=True)
            graph = self._run(plan, root, program)
            judge(graph)
            plan.delete_unregistered()
            if _written(root) == written:
                return plan, graph

    def _application(self, root: Path, *, preview: bool) -> Application:
        config = stack_config(self.stack, root)[1] | self.config
        return Application(
            cloud=self.cloud,
            preview=preview,
            resources=self.resources,
            replaced=self._replaced,
            tags=default_tags(config),
            say=self.say,
            problem=self.problem,
        )

    def _run(self, application: Application, root: Path, given: Callable[[], object] | None) -> Graph:
        """Run the program: one given, or the one in `root`, with its own modules."""
        application.begin()

        def running() -> Graph:
            with contextlib.nullcontext() if given else own_modules(root):
                return record(
                    stack=self.stack,
                    root=root,
                    preview=application.preview,
                    program=given or (lambda: program(root)),
                    register=application.register,
                    account=self.cloud.account,
                    config=self.config,
                )

        return limited(running, PATIENCE, since=lambda: application.at)

    def functions(self) -> list[Running]:
        """What runs of an archive of files."""
        return [each for each in self.resources.values() if "code" in each.inputs]

    def update_code(self, function: Running, inputs: Mapping[str, Any]) -> None:
        """Give a function its inputs with other code, without a run of the program."""
        outputs = provider.update(
            *(self.cloud, function.type, function.name, function.id),
            *(function.inputs, inputs, function.outputs, function.outputs["tagsAll"]),
        )
        self.resources[function.urn] = dataclasses.replace(function, inputs=inputs, outputs=outputs)


def _written(root: Path) -> dict[Path, tuple[int, int]]:
    """When each file of the program in a folder was last written, and how long it is."""
    states = {file: file.stat() for file in [*root.glob("*.py"), *root.glob("components/**/*.py")]}
    return {file: (state.st_mtime_ns, state.st_size) for file, state in states.items()}


def _failure(error: BaseException, root: Path) -> str:
    """Why a program did not run to its end, with the last place in it."""
    if isinstance(error, SystemExit):
        return f"the Pulumi program must run to its end, but ended itself: sys.exit({error.code})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(f"{root}/") and "site-packages" not in frame.filename]
    place = f"{(own or frames)[-1].filename}:{(own or frames)[-1].lineno}" if frames else "no place that is known"
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}"
    what = f"{place.removeprefix(f'{root}/')}: {type(error).__name__}: {error}"
    return f"the Pulumi program must run to its end, but failed at {what}"
