"""Another revision of the project as a folder, and what of two copies judges the change itself."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.review.markdown import name
from tools.root import ROOT

JUDGES = (".github", "Makefile", "Pulumi.*.policy.json", "orders", "policy", "requirements*", "tools")
"""What decides whether a change passes."""
PROGRAM = ("Pulumi*.yaml", "__main__.py", "components", "config.py", "functions")
"""What a change deploys."""
LEFT_OUT = {"__pycache__", "venv", ".venv"}


@contextmanager
def revision(against: str | None) -> Iterator[tuple[Path, str]]:
    """A revision's files for as long as the block runs, and its commit; without a name, where the work branched off.

    Raises RuntimeError if there is no such revision.
    """
    commit = _commit(against)
    with tempfile.TemporaryDirectory(prefix="orders-revision-") as folder:
        with tarfile.open(fileobj=io.BytesIO(_git("archive", "--format=tar", commit))) as files:
            files.extractall(folder, filter="data")
        yield Path(folder), commit


def _commit(against: str | None) -> str:
    if against is not None:
        return _git("rev-parse", "--verify", f"{against}^{{commit}}").decode().strip()
    try:
        return _git("merge-base", "origin/main", "HEAD").decode().strip()
    except RuntimeError:
        return _git("rev-parse", "HEAD").decode().strip()


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {' '.join(arguments)} must succeed, got: {done.stderr.decode().strip()}")
    return done.stdout


def edited_judges(before: Path, after: Path) -> list[str]:
    """One sentence that names the files of a change that judge it; none if there are none."""
    edited = _edited(before, after, JUDGES)
    if not edited:
        return []
    shown = ", ".join(name(path) for path in edited[:3])
    return [f"edits its own judge: {shown}" + (f" and {len(edited) - 3} other files" if len(edited) > 3 else "")]


def same_program(before: Path, after: Path) -> bool:
    """Whether two copies deploy the same."""
    return not _edited(before, after, PROGRAM)


def _edited(before: Path, after: Path, patterns: tuple[str, ...]) -> list[str]:
    old, new = _files(before, patterns), _files(after, patterns)
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))


def _files(root: Path, patterns: tuple[str, ...]) -> dict[str, bytes]:
    tops = [path for pattern in patterns for path in root.glob(pattern)]
    files = [path for top in tops for path in (top.rglob("*") if top.is_dir() else (top,))]
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in files
        if path.is_file() and not LEFT_OUT & set(path.relative_to(root).parts)
    }
