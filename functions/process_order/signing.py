"""Signs requests to DynamoDB with Signature Version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import time
from collections.abc import Mapping
from hashlib import sha256

CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET = "DynamoDB_20120810.BatchExecuteStatement"
ALGORITHM = "AWS4-HMAC-SHA256"
NEEDED = ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


class Signer:
    """Spells the head of a signed request, with the credentials that Lambda gives to a function."""

    def __init__(self, environment: Mapping[str, str], host: str, path: str) -> None:
        if missing := [name for name in NEEDED if not environment.get(name)]:
            raise RuntimeError(f"{missing[0]} must be set, as Lambda sets it from the role and the region, got nothing")
        self._region, self._key_id, self._secret = (environment[name] for name in NEEDED)
        token = environment.get("AWS_SESSION_TOKEN")
        named = [("content-type", CONTENT_TYPE), ("host", host), ("x-amz-date", "")]
        named += [("x-amz-security-token", token)] if token else []
        named += [("x-amz-target", TARGET)]
        self._names = ";".join(name for name, _ in named)
        headers = "".join(f"{name}:{value}\n" for name, value in named)
        # The date is the only header that changes from one request to the next.
        self._before, self._after = f"POST\n{path}\n\n{headers}\n{self._names}\n".split("x-amz-date:", 1)
        sent = "".join(f"{name}: {value}\r\n" for name, value in named if value)
        self._head = f"POST {path} HTTP/1.1\r\n{sent}user-agent: order-notifications\r\naccept-encoding: identity\r\n"
        self._key = ("", b"")

    def head(self, body: bytes, now: float) -> bytes:
        """Spell the request line and all headers of a request with this body, sent now."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        scope = f"{moment[:8]}/{self._region}/dynamodb/aws4_request"
        canonical = f"{self._before}x-amz-date:{moment}{self._after}{sha256(body).hexdigest()}"
        text = f"{ALGORITHM}\n{moment}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key_of(moment[:8]), text.encode(), "sha256").hex()
        return (
            f"{self._head}x-amz-date: {moment}\r\ncontent-length: {len(body)}\r\nauthorization: {ALGORITHM}"
            f" Credential={self._key_id}/{scope}, SignedHeaders={self._names}, Signature={signature}\r\n\r\n"
        ).encode()

    def _key_of(self, day: str) -> bytes:
        """Derive the key that a day's requests are signed with, once."""
        known, key = self._key
        if known != day:
            key = f"AWS4{self._secret}".encode()
            for part in (day, self._region, "dynamodb", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = (day, key)
        return key
