"""The pipeline as a whole: everything that a message can pass."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.processor import Processor
from components.queue import Queue
from components.table import Table
from components.topic import Topic


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A topic and its consumers; the first of them stores the orders."""

    topic: Topic
    queues: Sequence[Queue]
    """One for each consumer, the orders' own first."""
    processors: Sequence[Processor]
    """The functions of this program that empty queues, the orders' own first; others' functions are not known here."""
    table: Table
    scope: str
    """Project and stack, `orders/prod`: keeps the order counts and the dashboard apart from another stack's."""
