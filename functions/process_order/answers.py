"""What DynamoDB's answers mean: which writes landed, which to try again, and why the others failed."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

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
    item: Mapping[str, Any] | None = None
    """The row that an update's condition was held against; none if there is no row."""


DONE = Result("")
GARBLED = Result("InternalServerError", "DynamoDB did not answer every statement")


def read(answer: object, statements: int) -> list[Result]:
    """Say how each statement of a call ended; an answer that is none says nothing about any of them."""
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
    return explain_error(error) if isinstance(error, dict) else GARBLED


def explain(error: Exception) -> Result:
    """Say why a call failed."""
    if isinstance(error, ClientError):
        result = explain_error(error.response.get("Error") or {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return result._replace(code="InternalServerError") if status >= 500 else result
    # Only the name: the text of other errors can quote what was sent or received.
    reason = f"the call to DynamoDB failed with {type(error).__name__}"
    transient = isinstance(error, (NoConnectionError, HTTPClientError, ResponseParserError))
    return Result("InternalServerError" if transient else "CallFailed", reason)


def explain_error(error: Mapping[str, Any]) -> Result:
    """Say why a statement failed, or a whole call."""
    code = str(error.get("Code") or "UnknownError")
    reason = f"DynamoDB answered {code}"
    if not code.startswith(("Validation", "Serialization")):  # these can quote values
        reason = f"{reason}: {str(error.get('Message') or '')[:LONGEST_REASON]}"
    item = error.get("Item")
    return Result(code, reason, item if isinstance(item, dict) and item else None)
