"""Watches the handler and the program, and brings what was edited to the cloud that runs."""

import contextlib
import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from watchfiles import Change, watch

from tools.cloud.cloud import CloudError
from tools.cloud.deploy import enforce_policies
from tools.cloud.deployment import Deployment
from tools.live.handler import import_problem
from tools.root import ROOT
from tools.terminal import Printer


class Say(Protocol):
    """Tells the developer a sentence, and whether it is a good one."""

    def __call__(self, text: str, *, good: bool) -> None: ...


class Watcher:
    """Brings changed files to one running stack; of any failure it says the reason, and what runs stays."""

    def __init__(self, deployment: Deployment, *, say: Say, root: Path = ROOT) -> None:
        self._deployment, self._say, self._root = deployment, say, root
        self._stopped = threading.Event()

    def handle(self, paths: set[Path]) -> None:
        """Deploy what some changed files belong to."""
        functions = self._root / "functions"
        try:
            # The program too decides what is in an archive, so it goes first; what it deploys is then up to date.
            if any(functions not in path.parents for path in paths):
                self._deploy_program()
            self._deploy_functions()
        except (CloudError, OSError, ValueError, pulumi.RunError) as error:
            self._say(f"not deployed: {error}", good=False)
        except (BotoCoreError, ClientError) as error:
            self._say(f"the local cloud refused a part of the change: {error}", good=False)

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

    def _deploy_functions(self) -> None:
        for function in self._deployment.changed_functions():
            if reason := import_problem(function.inputs):
                self._say(f"{function.name} is not deployed, the last one runs on: {reason}", good=False)
                continue
            started = time.monotonic()
            self._deployment.update_code(function)
            self._say(f"{function.name} is live with the next batch ({time.monotonic() - started:.1f} s)", good=True)

    def _deploy_program(self) -> None:
        try:
            # First without a cloud: a program that fails, or breaks a rule, changes nothing.
            enforce_policies(self._deployment.stack, Printer(out=io.StringIO()))
            applied = self._deployment.apply(self._root)
        except (CloudError, OSError, ValueError, pulumi.RunError, BotoCoreError, ClientError):
            raise
        except Exception as error:  # the program is being edited: it may raise anything
            raise CloudError(f"the program must run to its end, but: {_place(error)}") from error
        self._say(f"deployed again in {applied.seconds:.1f} s: {applied}", good=True)


def _place(error: Exception) -> str:
    trace, place = error.__traceback__, ""
    while trace:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}: "
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        place = f"{Path(error.filename or '').name}:{error.lineno}: "
    return f"{place}{type(error).__name__}: {error}"
