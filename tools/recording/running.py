"""Runs a Pulumi program against a monitor of ours, to its end or to its first failure."""

import asyncio
import contextlib
import ctypes
import gc
import importlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from pulumi.runtime import mocks, set_all_config, settings
from pulumi.runtime.stack import run_in_stack

from tools.interrupts import cleaning_up

T = TypeVar("T")


class Monitor(mocks.MockMonitor):
    """A monitor that ends the run at its first failure.

    The SDK would first wait for all other outputs, and some of those never come after a failure.
    """

    def __init__(self, answers: mocks.Mocks) -> None:
        super().__init__(answers)
        self.failure: BaseException | None = None
        self.end: Callable[[], object] = lambda: None
        """Ends the run, from any thread."""

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Whatever is raised inside the block ends the run."""
        try:
            yield
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                cleaning_up()
            if self.failure is None:
                self.failure = error
                self.end()
            raise


def run(
    program: Callable[[], object],
    monitor: Monitor,
    *,
    project: str,
    stack: str,
    config: Mapping[str, str],
    secrets: Sequence[str],
    preview: bool,
) -> None:
    """Run the program until every registration has been answered. Raises the first failure at once."""
    set_all_config(dict(config), list(secrets))
    settings.configure(
        mocks.MockSettings(
            monitor=monitor,
            monitor_features=set(),
            engine=mocks.MockEngine(None),
            project=project,
            stack=stack,
            dry_run=preview,
            organization=None,
            callbacks=None,
            # Without its own, a run waits for outputs that another run, which failed, has left behind.
            outputs=set[Any](),
            lock=threading.Lock(),
        )
    )

    def noted_program() -> None:
        with monitor.noted():
            program()

    async def until_failure() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task
        monitor.end = lambda: loop.call_soon_threadsafe(task.cancel)
        await run_in_stack(noted_program)

    with (
        _only_the_stack_file(),
        _without_burdens(),
        contextlib.ExitStack() as loops,
        asyncio.Runner(loop_factory=lambda: _new_loop(loops)) as runner,
    ):
        loops.callback(asyncio.set_event_loop, None)
        # Registrations are answered on these threads, several at a time; the mock monitor needs a loop on each.
        threads = ThreadPoolExecutor(max_workers=8, initializer=_new_loop, initargs=(loops,))
        runner.get_loop().set_default_executor(threads)
        try:
            runner.run(until_failure())
        except KeyboardInterrupt:
            cleaning_up()
            raise
        except asyncio.CancelledError:
            if monitor.failure is None:
                raise
    if monitor.failure:
        raise monitor.failure


@contextlib.contextmanager
def _without_burdens() -> Iterator[None]:
    """Leave out what takes the SDK a third of a run's time: searching for garbage, and long stack traces to send."""
    collecting, limit = gc.isenabled(), getattr(sys, "tracebacklimit", 1000)
    gc.disable()
    sys.tracebacklimit = 12  # frames, from a resource's constructor to the program
    try:
        yield
    finally:
        sys.tracebacklimit = limit
        if collecting:
            gc.enable()


@contextlib.contextmanager
def _only_the_stack_file() -> Iterator[None]:
    """Hide the environment's configuration: the SDK takes from there what a stack file does not set."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PULUMI_CONFIG")}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _new_loop(loops: contextlib.ExitStack) -> asyncio.AbstractEventLoop:
    """A thread's event loop, closed with `loops`."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # what follows from the first failure says nothing new
    asyncio.set_event_loop(loop)
    loops.callback(loop.close)
    return loop


class _OutOfTimeError(BaseException):
    """Ends what runs too long; a program that catches every Exception does not catch it."""


def limited(work: Callable[[], T], seconds: float, *, since: Callable[[], float]) -> T:
    """Do some work on a thread of its own. Raises TimeoutError once `since`, a monotonic time, is so long ago.

    What loops in Python is ended; what sleeps is left behind, and does no harm.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def working() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            failed.append(error)

    thread = threading.Thread(target=working, daemon=True)
    thread.start()
    while thread.is_alive() and time.monotonic() - since() < seconds:
        thread.join(0.05)
    if thread.is_alive():
        for _ in range(20):
            if not thread.is_alive():
                break
            identity = ctypes.c_ulong(thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(_OutOfTimeError))
            thread.join(0.1)
        raise TimeoutError(f"it must register something or end within {seconds:.0f} s")
    if failed:
        raise failed[0]
    return done[0]


@contextlib.contextmanager
def own_modules(root: Path) -> Iterator[None]:
    """Load the modules of the program in a folder afresh, and leave none of them behind."""
    own = {path.stem for path in root.iterdir() if path.suffix == ".py" or path.is_dir()} - {"tools", "tests"}
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] in own - {"__main__"}}
    path, writing = list(sys.path), sys.dont_write_bytecode
    for name in before:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode = True  # it would be taken for that of another edit within the second
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] in own - {"__main__"}]:
            del sys.modules[name]
        sys.modules.update(before)
        sys.path[:], sys.dont_write_bytecode = path, writing
