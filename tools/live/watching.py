"""Watches the handler and the program, and brings what was edited to the cloud that runs."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from watchfiles import Change, watch

from tools.cloud import provider
from tools.cloud.application import Running
from tools.cloud.deployment import Deployment
from tools.live.handler import import_problem
from tools.recording.graph import Graph
from tools.root import ROOT

PROGRAM, EXPORTS = "the program", "what the program exports"


class Say(Protocol):
    """Tells the developer a sentence, and whether it is a good one."""

    def __call__(self, text: str, *, good: bool) -> None: ...


class Watcher:
    """Brings changed files to one running stack; of any failure it says the reason, and what runs stays."""

    def __init__(
        self,
        deployment: Deployment,
        *,
        say: Say,
        judge: Callable[[Graph], object],
        applied: Callable[[], object],
        root: Path = ROOT,
    ) -> None:
        """`judge` may refuse a preview; `applied` is called after each application, when outputs may have changed."""
        self._deployment, self._say, self._judge, self._applied, self._root = deployment, say, judge, applied, root
        self._wrong: dict[str, str] = {}
        """What has been said to be wrong and is not right again yet, by what it is about."""
        self._stopped = threading.Event()
        deployment.problem = import_problem

    def handle(self, paths: set[Path]) -> None:
        """Deploy what some changed files belong to; a program that fails keeps no handler from being deployed."""
        code = {Path(file) for each in self._deployment.functions() for file in provider.files(each.inputs["code"])}
        if paths - code:
            self._deploy_program(told=any(self._root / "functions" not in path.parents for path in paths))
        for function in self._deployment.functions():
            self._deploy_function(function)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch on threads of its own for as long as the block runs."""
        folders = [(self._root, False), (self._root / "functions", True), (self._root / "components", True)]
        threads = [threading.Thread(target=self._watch, args=folder, daemon=True) for folder in folders]
        self._lock = threading.Lock()
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join(timeout=10)

    def _watch(self, folder: Path, recursive: bool) -> None:  # noqa: FBT001 - a thread's arguments
        changes = watch(
            folder,
            recursive=recursive,
            watch_filter=self._counts,
            debounce=300,
            step=50,
            rust_timeout=500,
            stop_event=self._stopped,
            raise_interrupt=False,
        )
        for found in changes:
            with self._lock:
                self.handle({Path(path) for _, path in found})

    def _counts(self, _change: Change, path: str) -> bool:
        """Whether a file can change what is deployed."""
        file = Path(path)
        if file.parent == self._root:
            return file.name in ("__main__.py", "config.py", "Pulumi.yaml", f"Pulumi.{self._deployment.stack}.yaml")
        return file.suffix in (".py", ".json") and "__pycache__" not in file.parts

    def _deploy_program(self, *, told: bool) -> None:
        try:
            applied = self._deployment.apply(self._root, judge=self._judge)
        except Exception as error:  # noqa: BLE001 - the program is being edited, and what watches it must go on
            self._tell(PROGRAM, f"not deployed: {error}")
            return
        try:
            self._applied()
            self._tell(EXPORTS)
        except Exception as error:  # noqa: BLE001 - what it exports is the program's, too
            self._tell(EXPORTS, f"deployed, but page and commands go by what ran before: {error}")
        for name in self._wrong.keys() - {PROGRAM, EXPORTS, *(each.name for each in self._deployment.functions())}:
            del self._wrong[name]
        news = told or applied.steps or PROGRAM in self._wrong
        self._tell(PROGRAM, good=f"deployed again in {applied.seconds:.1f} s: {applied}" if news else "")
        for step in applied.steps:
            if step.action == "updated" and "code" in step.inputs:
                self._tell(step.name, good=f"{step.name} is live with the next batch")

    def _deploy_function(self, function: Running) -> None:
        started = time.monotonic()
        try:
            inputs = provider.hashed(function.inputs)
            changed = inputs["code"] != function.inputs["code"]
            if reason := import_problem(inputs) if changed else "":
                self._tell(function.name, f"{function.name} is not deployed, the last one runs on: {reason}")
                return
            if changed:
                self._deployment.update_code(function, inputs)
        except Exception as error:  # noqa: BLE001 - nor may a handler that is being edited end it
            self._tell(function.name, f"{function.name} is not deployed, the last one runs on: {error}")
            return
        took = f"{time.monotonic() - started:.1f} s"
        self._tell(function.name, good=f"{function.name} is live with the next batch ({took})" if changed else "")

    def _tell(self, about: str, problem: str = "", *, good: str = "") -> None:
        """Say what is wrong, once; when it is right again, that, and what else is wrong still."""
        if problem:
            if about == PROGRAM or self._wrong.get(about) != problem:
                self._wrong[about] = problem
                self._say(problem, good=False)
            return
        healed = self._wrong.pop(about, None)
        if healed or good:
            self._say("; ".join(filter(None, [healed and f"{about} is right again", good])), good=True)
            for text in self._wrong.values():
                self._say(text, good=False)
