"""ProcessOrder without its learning: an INSERT first for every order, and an UPDATE for those that exist."""

import os
from typing import Any

from functions.process_order import client
from functions.process_order.lambda_function import process
from functions.process_order.store import PARALLEL_CALLS, Store
from tests.bench.streams import InsertFirst

store = Store(client.connect(PARALLEL_CALLS), os.environ["TABLE_NAME"], expectation=InsertFirst())


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    """Handle the batch as ProcessOrder does."""
    return process(event, context, store)
