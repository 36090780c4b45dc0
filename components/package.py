"""Builds the deployment archive of a function: exactly its own files, the same bytes everywhere."""

from collections.abc import Sequence
from pathlib import Path

import pulumi

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"
PROCESS_ORDER = (
    "answers.py",
    "client.py",
    "expectation.py",
    "lambda_function.py",
    "order.schema.json",
    "orders.py",
    "signing.py",
    "store.py",
    "values.py",
)
"""What ProcessOrder consists of. A fixed list: no cache, test or stray file can change the archive."""


def archive(package: str, files: Sequence[str]) -> pulumi.AssetArchive:
    """The archive of a package in `functions/`.

    Raises FileNotFoundError if a listed file is missing.
    """
    folder = FUNCTIONS / package
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise FileNotFoundError(f"{folder} must hold {', '.join(files)}, and lacks {', '.join(missing)}")
    return pulumi.AssetArchive({f"{package}/{file}": pulumi.FileAsset(str(folder / file)) for file in files})
