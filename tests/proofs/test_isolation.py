"""The local cloud reads nothing of the user's AWS settings and speaks to nothing but this machine."""

import signal
from pathlib import Path

import pytest

from tests.ops.cloud import wait_for
from tests.proofs import figures
from tests.proofs.guard import WatchedPython, guarded
from tests.tree import copied
from tools.root import ROOT

TRAPS = """
import os, socket, subprocess, sys
elsewhere = ("192.0.2.1", 80)
for trap in (
    lambda: socket.socket().connect(elsewhere),
    lambda: socket.getaddrinfo("sqs.eu-west-1.amazonaws.com", 443),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", elsewhere),
    lambda: socket.socket().bind(("0.0.0.0", 0)),
    lambda: subprocess.run([sys.executable, "-c", f"import socket; socket.socket().connect({elsewhere})"], env={}),
    lambda: open(os.path.expanduser("~/.aws/credentials")),
):
    try:
        trap()
    except Exception:
        pass
"""
"""What the guard must catch, for its silence to mean something."""
CAUGHT = ["socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind", "socket.connect", "open"]
"""By what event each of them shows."""
PATIENCE = 60


@pytest.mark.proof
def test_the_demo_and_the_commands_stay_on_this_machine(tmp_path: Path) -> None:
    guard = guarded(tmp_path, ROOT)
    guard.run("-m", "tools", "demo", "--orders", "200")
    figures.write("isolation", prove(guard, tmp_path / "addresses.json"))


def test_local_mode_reads_no_aws_settings_and_stays_on_this_machine(tmp_path: Path) -> None:
    guard = guarded(tmp_path / "guard", copied(tmp_path / "project"))
    guard.run("-c", TRAPS)
    caught = [line.split()[0] for line in guard.violations() if line.startswith(("socket.", "open "))]
    assert caught == CAUGHT
    guard.record.unlink()
    prove(guard, tmp_path / "addresses.json")


def prove(guard: WatchedPython, addresses: Path) -> figures.Figures:
    """Deploy the local stack, use the operator's commands on it, stop it, and see what the guard has refused."""
    cloud, saved = guard.start("-m", "tools", "local", "--no-page", "--outputs", str(addresses)), f"{addresses}.orders"
    try:
        wait_for(lambda: addresses.exists() or cloud.poll() is not None, "starting the cloud", PATIENCE)
        publish = ["publish", "--generate", "5", "--save", saved, "--outputs", str(addresses)]
        verify = ["verify", saved, "--outputs", str(addresses)]
        guard.run("-c", f"from tools.__main__ import main; raise SystemExit(main({publish}) or main({verify}))")
    finally:
        cloud.send_signal(signal.SIGTERM)
        output, _ = cloud.communicate(timeout=PATIENCE)
    assert cloud.returncode == 0, output
    processes = guard.processes()
    emulators = sum("tools.cloud.emulator" in process for process in processes)
    workers = sum("_worker.py" in process for process in processes)
    assert emulators, "the guard did not watch the cloud: the proof proved nothing"
    assert workers, "the guard did not watch the function: the proof proved nothing"
    assert guard.violations() == []
    return {
        "processes watched": len(processes),
        "clouds among them": emulators,
        "function workers among them": workers,
        "connections, names and listeners beyond loopback": 0,
    }
