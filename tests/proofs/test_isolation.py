"""The local cloud reads nothing of the user's AWS settings and speaks to nothing but this machine."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.proofs import figures
from tests.proofs.guard import WatchedPython, guarded
from tests.tree import copied
from tools.root import ROOT

TRAPS = """
import boto3, socket, subprocess, sys
elsewhere = ("192.0.2.1", 80)
for trap in (
    lambda: socket.socket().connect(elsewhere),
    lambda: socket.getaddrinfo("sqs.eu-west-1.amazonaws.com", 443),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", elsewhere),
    lambda: socket.socket().bind(("0.0.0.0", 0)),
    lambda: subprocess.run([sys.executable, "-c", f"import socket; socket.socket().connect({elsewhere})"], env={}),
    lambda: boto3.Session().get_credentials(),
):
    try:
        trap()
    except Exception:
        pass
"""
"""What the guard must catch, for its silence to mean something."""
CAUGHT = ["connect", "getaddrinfo", "sendto", "bind", "connect"]
"""By what event the first of them show."""
PATIENCE = 60


@pytest.mark.proof
def test_the_demo_and_the_commands_stay_on_this_machine(tmp_path: Path) -> None:
    with guarded(tmp_path, ROOT) as guard:
        demo = guard.run(["-m", "tools", "demo", "--orders", "200"])
        assert demo.returncode == 0, demo.stdout + demo.stderr
        figures.write("isolation", prove(guard, tmp_path / "addresses.json"))


def test_local_mode_reads_no_aws_settings_and_stays_on_this_machine(tmp_path: Path) -> None:
    with guarded(tmp_path / "guard", copied(tmp_path / "project")) as guard:
        guard.run(["-c", TRAPS])
        caught = [line.split()[0] for line in guard.violations() if line.startswith(("socket.", "open "))]
        assert [event.removeprefix("socket.") for event in caught[:5]] == CAUGHT
        assert set(caught[5:]) == {"open"}
        guard.record.unlink()
        prove(guard, tmp_path / "addresses.json")


def prove(guard: WatchedPython, addresses: Path) -> figures.Figures:
    """Deploy the local stack, use the operator's commands on it, stop it, and see what the guard has refused."""
    cloud = subprocess.Popen(
        [str(guard.python), "-m", "tools", "local", "--no-page", "--outputs", str(addresses)],
        cwd=guard.root,
        env=dict(guard.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    ops, saved = ["-m", "tools", "--outputs", str(addresses)], f"{addresses}.orders"
    try:
        deadline = time.monotonic() + PATIENCE
        while not addresses.exists() and cloud.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        publish = guard.run([*ops, "publish", "--generate", "5", "--save", saved, "--json"])
        verify = guard.run([*ops, "verify", saved, "--json"])
    finally:
        cloud.send_signal(signal.SIGTERM)
        output, _ = cloud.communicate(timeout=PATIENCE)
    for done in (publish, verify):
        assert done.returncode == 0, f"{done.args}: {done.stdout}{done.stderr}"
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
