"""Runs a Pulumi program against a monitor of ours, to its end or to its first failure."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pulumi.runtime import mocks, set_all_config, settings
from pulumi.runtime.stack import run_in_stack

from tools.interrupts import cleaning_up


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
    program: Callable[[], None],
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
