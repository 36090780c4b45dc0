"""A rehearsal tells a change that cannot be deployed from one that loses orders."""

from pathlib import Path

import pytest

from tests.tree import copied
from tools.review.rehearsal import rehearse
from tools.root import ROOT


@pytest.mark.proof
def test_a_change_that_cannot_be_deployed_says_why(tmp_path: Path) -> None:
    change = copied(tmp_path / "change")
    processor = change / "components/processor.py"
    text = processor.read_text()
    assert "function_name=function.name" in text
    processor.write_text(text.replace("function_name=function.name", 'function_name="nobody"'))
    [lost] = rehearse(ROOT, change, "local").lost
    assert lost.startswith("the change cannot be deployed: ")
    assert "Function not found: nobody" in lost
