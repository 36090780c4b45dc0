"""The outcomes of a message are the same words in the function's log, its metrics, the dashboard and the commands."""

from components.dashboard import OUTCOMES
from functions.process_order.lambda_function import _LEVEL_OF
from tools.ops import logs


def test_the_outcomes_are_the_same_words_everywhere() -> None:
    assert list(_LEVEL_OF) == list(OUTCOMES) == list(logs.OUTCOMES)
