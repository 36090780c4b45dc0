"""The local cloud reads nothing of the user's AWS settings and speaks to nothing but this machine."""

import json
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.proofs.guard import Guarded, guarded
from tests.proofs.report import Result
from tools.root import ROOT

TRAPS = {
    "a connection elsewhere": "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)",
    "a name of another machine": "import socket; socket.getaddrinfo('sqs.eu-west-1.amazonaws.com', 443)",
    "a datagram": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "a server for all the world": "import socket; socket.socket().bind(('0.0.0.0', 0))",
    "a look at the credentials": "import boto3; boto3.Session().get_credentials()",
    "a process with an empty environment": "import subprocess, sys; "
    "subprocess.run([sys.executable, '-c', \"import socket; socket.create_connection(('192.0.2.1', 80))\"], env={})",
}
"""What the guard must catch, for its silence to mean something."""
PATIENCE = 60


def run(*, orders: int = 200, root: Path = ROOT) -> Result:
    """Run the demo with so many orders (0 leaves it out), a deployment and the operator's commands under the guard."""
    with tempfile.TemporaryDirectory() as folder, guarded(Path(folder), root) as guard:
        problems = _trapped(guard)
        guard.record.unlink(missing_ok=True)
        if orders and (demo := guard.run(["-m", "tools", "demo", "--orders", str(orders)])).returncode != 0:
            problems.append(f"the demo must hold every promise, but said: {demo.stdout}{demo.stderr}")
        problems += _operated(guard, Path(folder) / "addresses.json")
        violations, processes = guard.violations(), guard.processes()
    emulators = sum("tools.cloud.emulator" in process for process in processes)
    workers = sum("_worker.py" in process for process in processes)
    if not emulators or not workers:
        problems.append("the guard did not watch the cloud and its function: the proof proved nothing")
    return Result(
        promise="local mode is safe: nothing of the user's AWS profile, credentials, endpoints or proxies is used, and "
        "no connection leaves this machine",
        test="`./orders demo`, `local up` and the operator's commands run with a profile, credentials, "
        "endpoints and proxies in the environment and in ~/.aws, in a Python whose audit hook refuses and records "
        "every other address and every look into ~/.aws. The hook is in every process that they start, the cloud and "
        "the function's workers too. Native code is not hooked; its calls would fail through proxies that lead "
        "nowhere.",
        figures={
            "traps that the guard caught first": len(TRAPS),
            "processes watched": len(processes),
            "clouds among them": emulators,
            "function workers among them": workers,
            "connections, names and listeners beyond loopback": len(violations),
        },
        problems=(*problems, *violations[:5]),
    )


def _trapped(guard: Guarded) -> list[str]:
    """Spring every trap; return those that the guard missed."""
    missed = []
    for name, code in TRAPS.items():
        before = len(guard.violations())
        guard.run(["-c", code])
        if len(guard.violations()) == before:
            missed.append(f"the guard did not see {name}")
    return missed


def _operated(guard: Guarded, addresses: Path) -> list[str]:
    """Deploy the local stack, use the operator's commands on it, and stop it."""
    cloud = subprocess.Popen(
        [str(guard.python), "-m", "tools", "local", "--no-page", "--outputs", str(addresses)],
        cwd=guard.root,
        env=dict(guard.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not addresses.exists() and cloud.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        ops = ["-m", "tools", "--outputs", str(addresses)]
        publish = guard.run([*ops, "publish", "--generate", "5", "--save", f"{addresses}.orders", "--json"])
        verify = guard.run([*ops, "verify", f"{addresses}.orders", "--json"])
        listing = guard.run([*ops, "dlq", "list", "--json"])
    finally:
        cloud.send_signal(signal.SIGTERM)
        output, _ = cloud.communicate(timeout=PATIENCE)
    problems = [
        f"`{' '.join(done.args)}` must succeed, but said: {done.stdout}{done.stderr}"
        for done in (publish, verify, listing)
        if done.returncode != 0
    ]
    if not problems and json.loads(listing.stdout):
        problems.append("a new cloud has dead letters")
    return problems if cloud.returncode == 0 else [*problems, f"`local up` said: {output}"]
