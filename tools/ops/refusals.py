"""Turns what boto3 raises into failures that say what to do."""

import contextlib
import re
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from tools.ops.failure import UNREACHABLE, Failure

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "KMS.AccessDeniedException"})
MISSING = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NotFound",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)


@contextlib.contextmanager
def explained(origin: str) -> Iterator[None]:
    """Errors of boto3 inside the block become failures; `origin` is where the addresses come from."""
    try:
        yield
    except ClientError as error:
        raise Failure(_refusal(error, origin), UNREACHABLE) from error
    except BotoCoreError as error:
        raise Failure(
            f"the services of {origin} must answer, but: {error}. Does `aws sts get-caller-identity` work, or is the "
            "local cloud still running?",
            UNREACHABLE,
        ) from error


def _refusal(error: ClientError, origin: str) -> str:
    details = error.response.get("Error", {})
    code, text = details.get("Code", "unknown"), details.get("Message", "")
    if code in DENIED:
        action = next(iter(re.findall(r"perform: ([\w:*]+)", text)), error.operation_name)
        return f"your credentials must allow {action}, but the request was refused: {text}"
    if code in MISSING:
        return (
            f"what {origin} names must exist, but {error.operation_name} answered {code}: {text} "
            "Are these the current outputs, and your credentials those of the same account?"
        )
    return f"{error.operation_name} must succeed, but AWS answered {code}: {text}"
