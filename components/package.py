"""Builds the deployment archive of a function: exactly its own files, the same bytes everywhere."""

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
    "store.py",
)
"""What ProcessOrder consists of. A fixed list: no cache, test or stray file can change the archive."""


def process_order_archive() -> pulumi.AssetArchive:
    """ProcessOrder's archive; its handler is `process_order.lambda_function.lambda_handler`.

    Raises FileNotFoundError if a listed file is missing.
    """
    folder = FUNCTIONS / "process_order"
    missing = [file for file in PROCESS_ORDER if not (folder / file).is_file()]
    if missing:
        raise FileNotFoundError(f"{folder} must hold {', '.join(PROCESS_ORDER)}, and lacks {', '.join(missing)}")
    return pulumi.AssetArchive(
        {f"process_order/{file}": pulumi.FileAsset(str(folder / file)) for file in PROCESS_ORDER}
    )
