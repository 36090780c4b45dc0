"""Files that cannot be read or written are told, and an export never replaces another."""

from pathlib import Path

import pytest

from tools.ops.failure import Failure
from tools.ops.files import read_text, writing


@pytest.mark.parametrize("name", ["", "nowhere/orders.jsonl"])
def test_a_file_that_cannot_be_written_or_read_is_status_2(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    with pytest.raises(Failure, match="FILE must be a file that can be written") as refused, writing(path):
        pass
    with pytest.raises(Failure, match="FILE must be a readable file"):
        read_text(path)
    assert (refused.value.status, path in str(refused.value)) == (2, True)


def test_a_full_disk_is_told() -> None:
    with pytest.raises(Failure, match="No space left on device"), writing("/dev/full") as out:
        out.write("x" * 100_000)


def test_a_new_file_replaces_no_other(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    path.write_text("the only copy")
    with pytest.raises(Failure, match=r"must be a new file .* File exists"), writing(str(path), new=True):
        pass
    assert path.read_text() == "the only copy"


def test_a_new_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    writer = writing(str(path), new=True)
    writer.__enter__().write("half")
    assert writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None) is False
    assert not path.exists()
