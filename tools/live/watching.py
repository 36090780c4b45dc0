"""Watches the handler and the program, and brings what was edited to the cloud that runs."""

import contextlib
import io
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from watchfiles import Change, watch

from tools.cloud.cloud import Cloud, CloudError
from tools.cloud.deploy import enforce_policies
from tools.live.handler import import_problem
from tools.live.redeploy import Changes, Ledger
from tools.recording.graph import program, record
from tools.root import ROOT
from tools.terminal import Printer


class Say(Protocol):
    """Tells the developer a sentence, and whether it is a good one."""

    def __call__(self, text: str, *, good: bool) -> None: ...


class Watcher:
    """Brings changed files to one running stack; of any failure it says the reason, and what runs stays."""

    def __init__(self, *, stack: str, cloud: Cloud, ledger: Ledger, say: Say, root: Path = ROOT) -> None:
        self._stack, self._cloud, self._ledger, self._say, self._root = stack, cloud, ledger, say, root
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
            return file.name in ("__main__.py", "config.py", "Pulumi.yaml", f"Pulumi.{self._stack}.yaml")
        return file.suffix in (".py", ".json") and "__pycache__" not in file.parts

    def _deploy_functions(self) -> None:
        for name, archive, handler in list(self._ledger.functions()):
            started = time.monotonic()
            if reason := import_problem(archive, handler):
                self._say(f"{name} is not deployed, the last one runs on: {reason}", good=False)
                continue
            self._ledger.update_code(self._cloud, name)
            self._say(f"{name} is live with the next batch ({time.monotonic() - started:.1f} s)", good=True)

    def _deploy_program(self) -> None:
        started = time.monotonic()
        changes = Changes()
        with _fresh_modules():
            try:
                # First without a cloud: a program that fails, or breaks a rule, changes nothing.
                enforce_policies(self._stack, Printer(out=io.StringIO()))
                graph = record(
                    stack=self._stack,
                    root=self._root,
                    program=lambda: program(self._root),
                    answer=self._ledger.again(self._cloud, changes),
                    account=self._cloud.account,
                )
            except (CloudError, OSError, ValueError, pulumi.RunError, BotoCoreError, ClientError):
                raise
            except Exception as error:  # the program is being edited: it may raise anything
                raise CloudError(f"the program must run to its end, but: {_place(error)}") from error
        registered = {(resource.type, resource.name) for resource in graph.resources if resource.custom}
        self._ledger.remove(self._cloud, registered, changes)
        self._say(f"deployed again in {time.monotonic() - started:.1f} s: {changes}", good=True)


def _place(error: Exception) -> str:
    trace, place = error.__traceback__, ""
    while trace:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}: "
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        place = f"{Path(error.filename or '').name}:{error.lineno}: "
    return f"{place}{type(error).__name__}: {error}"


@contextlib.contextmanager
def _fresh_modules() -> Iterator[None]:
    """Load the program's own modules again inside the block; after a failure those that worked are back."""
    parts = {"config", "components"}
    before: dict[str, Any] = {name: module for name, module in sys.modules.items() if name.split(".")[0] in parts}
    for name in before:
        del sys.modules[name]
    try:
        yield
    except BaseException:
        for name in [name for name in sys.modules if name.split(".")[0] in parts]:
            del sys.modules[name]
        sys.modules.update(before)
        raise
