"""A stack file says to the recorder what it says to the Pulumi CLI; the CLI's answers were recorded."""

from pathlib import Path

import pytest

from tools.recording.graph import stack_config

CLI = {
    "yes": "yes",
    "off": "off",
    "TRUE": "true",
    "1:30": "1:30",
    "512.0": "512",
    "0o1000": "512",
    "0x1F": "31",
    "010": "8",
    "08": "8",
    "1e3": "1000",
    "1_000": "1000",
    "+5": "5",
    ".5": "0.5",
    "1e-7": "1e-7",
    "1e21": "1e+21",
    "9007199254740993": "9007199254740993",
    "123456789012345678901234567890": "1.2345678901234568e+29",
    "2026-1-1": "2026-01-01 00:00:00 +0000 UTC",
    "2026-01-01T10:00:00Z": "2026-01-01 10:00:00 +0000 UTC",
    "'yes'": "yes",
    "[1, yes, 2026-01-01, 1.0, 1e3]": '[1,"yes","2026-01-01 00:00:00 +0000 UTC",1,1000]',
    "{a: 1.50, b: on, 1: 2, d: ~}": '{"1":2,"a":1.5,"b":"on","d":null}',
}


@pytest.mark.parametrize(("text", "said"), CLI.items())
def test_a_value_is_what_the_cli_makes_of_it(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: orders\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n  orders:x: {text}\n")
    assert stack_config("dev", tmp_path)[1] == {"orders:x": said}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("config: [", "YAML, but: .*line 1"),
        ("config: \xff", "YAML, but: .*utf-8"),
        ("config:\n  orders:x: .inf\n", "YAML, but: a number must be finite, got .inf"),
        ("- a list", "a mapping"),
        ("config: 7", "a mapping"),
    ],
)
def test_a_file_that_the_cli_does_not_read_is_refused_by_its_name(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: orders\n")
    (tmp_path / "Pulumi.dev.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=rf"Pulumi\.dev\.yaml must be {told}"):
        stack_config("dev", tmp_path)
