"""Signatures and endpoints are those of the SDK."""

from datetime import UTC, datetime
from typing import Any

import botocore.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from functions.process_order.client import Client, endpoint
from functions.process_order.signing import Signer
from tests.handler.peer import KEYS

secrets = st.text("ABCxyz0189/+=", min_size=1, max_size=60)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - see there


def headers(head: bytes) -> dict[str, str]:
    """Read the headers of a request as a server does."""
    _, *lines, empty, nothing = head.decode().split("\r\n")
    assert empty == nothing == ""
    return dict(line.split(": ", 1) for line in lines)


def signed_by_the_sdk(url: str, sent: dict[str, str], body: bytes, keys: dict[str, str]) -> str:
    """Sign the headers of a request, but for those that the SDK makes itself or does not sign."""
    own = {"host", "x-amz-security-token", "authorization", "content-length", "accept-encoding", "user-agent"}
    request = AWSRequest("POST", url, {name: value for name, value in sent.items() if name not in own}, body)
    request.context["timestamp"] = sent["x-amz-date"]
    credentials = Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys.get("AWS_SESSION_TOKEN"))
    signer: Any = botocore.auth.SigV4Auth(credentials, "dynamodb", keys["AWS_REGION"])
    if keys.get("AWS_SESSION_TOKEN"):
        request.headers["X-Amz-Security-Token"] = keys["AWS_SESSION_TOKEN"]
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, "
        f"SignedHeaders={signer.signed_headers(signer.headers_to_sign(request))}, Signature={signature}"
    )


@given(
    bodies=st.lists(st.tuples(st.binary(max_size=200), moments), min_size=1, max_size=4),
    key_id=secrets,
    secret=secrets,
    token=st.none() | secrets,
    region=st.sampled_from(["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"]),
    host=st.sampled_from(["dynamodb.eu-west-1.amazonaws.com", "localhost:8000", "[::1]:4566"]),
    path=st.sampled_from(["/", "/orders", "/a/b/"]),
)
def test_a_signature_is_that_of_the_sdk(
    bodies: list[tuple[bytes, datetime]],
    key_id: str,
    secret: str,
    token: str | None,
    region: str,
    host: str,
    path: str,
) -> None:
    keys = {"AWS_REGION": region, "AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret}
    keys |= {"AWS_SESSION_TOKEN": token} if token else {}
    signer = Signer(keys, host, path)
    for body, moment in bodies:  # by one signer: the key of one day must not sign the requests of another
        head = signer.head(body, moment.timestamp())
        sent = headers(head)
        assert head.startswith(f"POST {path} HTTP/1.1\r\n".encode())
        assert sent["x-amz-date"] == f"{moment:%Y%m%dT%H%M%SZ}"
        assert sent["content-length"] == str(len(body))
        assert sent["accept-encoding"] == "identity"
        assert sent["x-amz-target"] == "DynamoDB_20120810.BatchExecuteStatement"
        assert sent.get("x-amz-security-token") == token
        assert sent["authorization"] == signed_by_the_sdk(f"http://{host}{path}", sent, body, keys)


SESSION: Any = botocore.session.Session()
REGIONS = [
    region
    for partition in SESSION.get_available_partitions()
    for region in SESSION.get_available_regions("dynamodb", partition)
    if region != "local"  # DynamoDB Local, which is asked for by AWS_ENDPOINT_URL
]
assert len(REGIONS) > 35


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Hide the user's own settings from the SDK."""
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    return monkeypatch


def of_the_sdk(session: Any, region: str) -> str:
    client = session.create_client("dynamodb", region, aws_access_key_id="x", aws_secret_access_key="x")
    return str(client.meta.endpoint_url)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.usefixtures("elsewhere")
def test_the_endpoint_of_a_region_is_that_of_the_sdk(region: str) -> None:
    assert endpoint({**KEYS, "AWS_REGION": region}) == of_the_sdk(SESSION, region)


USUAL = {"AWS_ENDPOINT_URL": "http://localhost:4566"}
OWN = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000/path"}


IGNORED = {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"}


@pytest.mark.parametrize("configured", [USUAL, USUAL | OWN, USUAL | OWN | IGNORED])
def test_an_endpoint_that_is_configured_is_that_of_the_sdk(
    elsewhere: pytest.MonkeyPatch, configured: dict[str, str]
) -> None:
    for name, value in configured.items():
        elsewhere.setenv(name, value)
    assert endpoint({**KEYS, **configured}) == of_the_sdk(botocore.session.Session(), "us-east-1")


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://dynamodb.test", "https://", "dynamodb"])
def test_an_endpoint_that_is_no_url_is_an_error_at_start(url: str) -> None:
    with pytest.raises(ValueError, match="the endpoint of DynamoDB must be a URL of http or https, got "):
        Client({**KEYS, "AWS_ENDPOINT_URL": url})
