"""Commands that stand in for the machine's own, for scripts that call them."""

from pathlib import Path


def fake(folder: Path, name: str, body: str) -> None:
    """Put a shell script into a folder that comes first on the PATH."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
