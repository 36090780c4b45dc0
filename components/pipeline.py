"""The pipeline as a whole: everything that a message can pass."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.processor import Processor
from components.queue import Queue
from components.table import Table
from components.topic import Topic


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A topic, the consumer that stores the orders, and any others."""

    topic: Topic
    queue: Queue
    """The queue that the orders are stored from."""
    processor: Processor
    """The function that stores them."""
    table: Table
    scope: str
    """Project and stack, `orders/prod`: keeps the order counts and the dashboard apart from another stack's."""
    other_queues: Sequence[Queue] = ()
    """One for each further consumer."""
    other_processors: Sequence[Processor] = ()
    """Further functions of this program that empty queues; those of other programs are not known here."""
