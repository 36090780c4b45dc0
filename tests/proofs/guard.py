"""Runs commands in a Python that refuses and records every reach beyond loopback and every look into ~/.aws.

The guard is an audit hook in a virtual environment of its own: whatever processes the command starts have it too,
even those whose environment was cleared.
"""

import os
import site
import subprocess
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOOK = """
import os, sys

LOOPBACK = ("127.", "::1", "::ffff:127.", "localhost")
PRIVATE = {private!r}
RECORD = {record!r}
busy = []


def guard(event, arguments):
    if busy:
        return
    if event in ("socket.connect", "socket.sendto", "socket.bind"):
        address = arguments[1]
        if not isinstance(address, tuple) or str(address[0]).startswith(LOOPBACK):
            return
        what = address
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        what = arguments[0]
        what = what.decode() if isinstance(what, bytes) else what
        if what is None or what.startswith(LOOPBACK):
            return
    elif event == "open":
        what = arguments[0]
        what = os.fsdecode(what) if isinstance(what, (str, bytes)) else ""
        if not what.startswith(PRIVATE):
            return
    else:
        return
    busy.append(True)
    with open(RECORD, "a") as record:
        record.write(f"{{event}} {{what}} by {{' '.join(sys.orig_argv)}}\\n")
    busy.clear()
    raise PermissionError(f"the guard refuses {{event}} {{what}}")


sys.addaudithook(guard)
with open(RECORD + ".processes", "a") as record:
    record.write(" ".join(sys.orig_argv) + "\\n")
"""


@dataclass(frozen=True, kw_only=True)
class WatchedPython:
    """A Python with the guard in it, and the environment of a user with an AWS account."""

    python: Path
    record: Path
    environment: Mapping[str, str]
    root: Path
    """Holds the project that it runs."""

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the guarded Python; it says all that it says on its standard output."""
        return subprocess.Popen(
            [str(self.python), *arguments],
            cwd=self.root,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> None:
        """Run it to its end, which must be a good one."""
        process = self.start(*arguments)
        told, _ = process.communicate(timeout=120)
        assert process.returncode == 0, told

    def violations(self) -> list[str]:
        """What the guard has refused, in this process or any that it started."""
        return self.record.read_text().splitlines() if self.record.exists() else []

    def processes(self) -> list[str]:
        """The command lines of the processes that the guard has watched."""
        return Path(f"{self.record}.processes").read_text().splitlines()


def guarded(folder: Path, root: Path) -> WatchedPython:
    """A guarded Python, kept in a folder, for the project in another."""
    environment, aws, record = folder / "venv", folder / "home" / ".aws", folder / "violations"
    venv.create(environment, symlinks=True)
    [packages] = environment.glob("lib/*/site-packages")
    aws.mkdir(parents=True)
    (packages / "loopback_guard.py").write_text(HOOK.format(private=str(aws), record=str(record)))
    ours = [path for path in site.getsitepackages() if Path(path).is_dir()]
    (packages / "guard.pth").write_text("\n".join(["import loopback_guard", *ours]) + "\n")
    key, secret = "AKIANOBODY0000000000", ("nobody/" * 6)[:40]  # in form like real ones
    (aws / "credentials").write_text(f"[prod]\naws_access_key_id={key}\naws_secret_access_key={secret}\n")
    (aws / "config").write_text("[profile prod]\nregion=us-east-2\nendpoint_url=https://192.0.2.1\n")
    elsewhere = "http://192.0.2.1:3128"  # an address that no machine has (RFC 5737)
    return WatchedPython(
        root=root,
        python=environment / "bin" / "python",
        record=record,
        environment={
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "HOME": str(aws.parent),
            "AWS_PROFILE": "prod",
            "AWS_ENDPOINT_URL": elsewhere,
            "AWS_ENDPOINT_URL_DYNAMODB": elsewhere,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": "token",
            "AWS_REGION": "us-east-2",
            "AWS_CA_BUNDLE": str(aws / "nothing.pem"),
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), elsewhere),
        },
    )
