"""Makes the local cloud's own short-lived TLS certificate."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

DAYS = 7


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 and localhost that is valid for `DAYS`, and its key, readable by us only.

    Returns the paths of the certificate, which is also the bundle that clients trust, and of the key.
    """
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1", "localhost", not_after=datetime.now(UTC) + timedelta(days=DAYS))
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    for part in (*own.cert_chain_pems, authority.cert_pem):
        part.write_to_path(str(certificate), append=True)
    key.touch(mode=0o600)
    own.private_key_pem.write_to_path(str(key))
    return certificate, key
