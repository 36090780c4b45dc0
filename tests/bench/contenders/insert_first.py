"""ProcessOrder without its learning: an INSERT first for every order, and an UPDATE for those that exist."""

import os
from typing import Any

from functions.process_order.client import Client
from functions.process_order.lambda_function import process
from functions.process_order.store import Store
from tests.bench.streams import InsertFirst

store = Store(Client(os.environ), os.environ["TABLE_NAME"], expectation=InsertFirst())


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    """Handle the batch as ProcessOrder does."""
    return process(event, context, store)
