"""One interrupt ends a command, even if what it raises is lost at first; cleaning up is not interrupted."""

import contextlib
import os
import signal
import time
from collections.abc import Callable

import pytest

from tools.interrupts import Interrupts, cleaning_up, held

PATIENCE = 5.0
"""Seconds; an interrupt that is lost comes again within a fifth of one."""
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])


class Swallowing:
    """Its finaliser gets the signal, and Python drops what a finaliser raises."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self._number)
        time.sleep(0.01)


def wait() -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(0.01)


def interrupted(command: Callable[[], None]) -> bool:
    try:
        with Interrupts():
            command()
    except KeyboardInterrupt:
        return True
    return False


@SIGNALS
def test_an_interrupt_that_a_finaliser_loses_or_a_library_catches_comes_again_and_is_not_reported(number: int) -> None:
    def command() -> None:
        with contextlib.suppress(BaseException):  # as careless libraries do
            Swallowing(number)
            wait()
        wait()

    started = time.monotonic()
    assert interrupted(command)  # a report would fail the test, as any warning does
    assert time.monotonic() - started < PATIENCE


@SIGNALS
def test_cleaning_up_is_not_interrupted(number: int) -> None:
    cleaned = False

    def command() -> None:
        nonlocal cleaned
        try:
            os.kill(os.getpid(), number)
            wait()
        finally:
            cleaning_up()
            os.kill(os.getpid(), number)
            time.sleep(0.5)  # longer than an interrupt that was lost would take to come again
            cleaned = True

    assert interrupted(command)
    assert cleaned


@SIGNALS
def test_an_interrupt_waits_until_what_must_be_finished_is(number: int) -> None:
    done: list[str] = []

    def command() -> None:
        with held():
            os.kill(os.getpid(), number)
            time.sleep(0.5)
            done.append("finished")
        wait()
        done.append("not interrupted")

    assert interrupted(command)
    assert done == ["finished"]


def test_what_fails_because_of_an_interrupt_is_an_interrupt() -> None:
    def command() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            wait()
        except KeyboardInterrupt:
            raise OSError("the connection is closed") from None

    assert interrupted(command)


def test_signals_are_what_they_were_afterwards() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    assert not interrupted(lambda: None)
    assert [signal.getsignal(number) for number in numbers] == before
