"""Files that cannot be read or written are told, and an export never replaces another."""

import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.ops.failure import Failure
from tools.ops.files import read_text, writing


@pytest.mark.parametrize("name", ["", "nowhere/orders.jsonl", "a\0b"])
def test_a_file_that_cannot_be_written_or_read_is_status_2(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    with pytest.raises(Failure, match="FILE must be a new file in a folder") as refused, writing(path):
        pass
    with pytest.raises(Failure, match="FILE must be a readable file"):
        read_text(path)
    assert (refused.value.status, path in str(refused.value)) == (2, True)


def writes(path: Path, *, then: Callable[[], object] = lambda: None, text: str = "ours") -> None:
    with writing(str(path)) as out:
        out.write(text)
        out.flush()
        assert not path.exists()
        then()


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow over 1,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_is_full_is_status_3_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="File too large") as failure:
        writes(tmp_path / "new", text="x" * 100_000)
    assert (failure.value.status, list(tmp_path.iterdir())) == (3, [])


@pytest.mark.parametrize("there", ["file", "dangling link"])
def test_a_new_file_replaces_no_other_and_follows_no_link(tmp_path: Path, there: str) -> None:
    path = tmp_path / "letters.jsonl"
    if there == "file":
        path.write_text("the only copy")
    else:
        path.symlink_to(tmp_path / "target")
    before = {each: each.exists() and each.read_text() for each in tmp_path.iterdir()}
    with pytest.raises(Failure, match="there is something of that name"):
        writes(path)
    assert {each: each.exists() and each.read_text() for each in tmp_path.iterdir()} == before


def test_a_file_that_comes_while_another_is_written_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    with pytest.raises(Failure, match="File exists"):
        writes(path, then=lambda: path.write_text("theirs"))
    assert (path.read_text(), list(tmp_path.iterdir())) == ("theirs", [path])


def test_a_new_file_appears_when_it_is_whole_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    writes(path)
    assert (path.read_text(), path.stat().st_mode & 0o777, list(tmp_path.iterdir())) == ("ours", 0o600, [path])


def test_what_an_interrupt_leaves_half_written_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        writes(tmp_path / "letters.jsonl", then=lambda: signal.raise_signal(signal.SIGINT))
    assert list(tmp_path.iterdir()) == []
