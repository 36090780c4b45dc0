"""The graphs that the programs register are those that were read and agreed to."""

import pytest

from tests.recording.graphs import FOLDER, GOLDEN


@pytest.mark.parametrize("name", GOLDEN)
def test_what_is_registered_is_what_was_agreed_to(name: str) -> None:
    assert GOLDEN[name]() == (FOLDER / name).read_text(), "read what has changed, and if it is meant: make golden"


def test_every_file_has_its_graph() -> None:
    assert {path.name for path in FOLDER.iterdir()} == GOLDEN.keys()
