"""What DynamoDB's answers mean: which writes landed, which to try again, and why the others failed."""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

TRANSIENT = frozenset(
    {
        # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "InternalServerError",
        "TransactionConflict",
        # Those that "OK to retry? Yes" is said of; an unrecognized client is one whose new credentials are not known
        # everywhere yet: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "TransactionConflictException",
        "ReplicatedWriteConflictException",
        "UnrecognizedClientException",
        "ServiceUnavailable",
        "RequestTimeout",
    }
)
"""Error codes, of one statement or of a whole call, that a later attempt can clear."""

REFUSED = frozenset({"ValidationException", "SerializationException"})
"""Error codes of a whole call that one of its statements can cause."""

LONGEST_REASON = 300
"""Characters of DynamoDB's own message in a reason."""


class Result(NamedTuple):
    """How one statement ended."""

    code: str
    """DynamoDB's error code, or empty."""
    reason: str = ""


DONE = Result("")
GARBLED = Result("InternalServerError", "DynamoDB did not answer every statement")


@functools.lru_cache(4)  # when all is well, all answers are the same text
def read(status: int, text: bytes, statements: int) -> Sequence[Result]:
    """Say how each statement of a call ended; an answer that is none says nothing about any of them."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = None
    if status != 200:
        return [_refusal(status, answer)] * statements
    responses = answer.get("Responses") if isinstance(answer, dict) else None
    if not isinstance(responses, list) or len(responses) != statements:
        return [GARBLED] * statements
    return [_read(response) for response in responses]


def _read(response: object) -> Result:
    if not isinstance(response, dict):
        return GARBLED
    if "Error" not in response:
        return DONE
    error = response["Error"]
    return _explain(error.get("Code"), error.get("Message")) if isinstance(error, dict) else GARBLED


def _refusal(status: int, answer: object) -> Result:
    """Say why a whole call was refused: by DynamoDB, or by something between that does not speak its language."""
    told: Mapping[str, Any] = answer if isinstance(answer, dict) else {}
    code = str(told.get("__type") or status).rpartition("#")[2]
    result = _explain(code, told.get("message") or told.get("Message"))
    return result._replace(code="InternalServerError") if status >= 500 or "__type" not in told else result


def _explain(code: object, message: object) -> Result:
    code = str(code or "UnknownError")
    reason = f"DynamoDB answered {code}"
    if not code.startswith(("Validation", "Serialization")):  # these can quote values
        reason = f"{reason}: {str(message or '')[:LONGEST_REASON]}"
    return Result(code, reason)


def explain(error: Exception) -> Result:
    """Say why a call has no answer."""
    # Only the name: the text of an error can quote what was sent or received.
    code = "InternalServerError" if isinstance(error, OSError) else "CallFailed"
    return Result(code, f"the call to DynamoDB failed with {type(error).__name__}")
