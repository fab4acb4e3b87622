"""Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` (HMAC-SHA256, v1)."""

import base64
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

TOLERANCE_SECONDS = 300
MIN_KEY_BYTES = 24


def sign(secret: str, msg_id: str, timestamp: int, body: str | bytes) -> str:
    """The `webhook-signature` of a body: `v1,` and base64 of HMAC over `id.timestamp.body`.

    Args:
        secret: `whsec_` and base64 of 24 to 64 bytes.
        timestamp: seconds since 1970.
    """
    raw = body.encode() if isinstance(body, str) else body
    digest = hmac.digest(_key_of(secret), _bytes_of(f"{msg_id}.{timestamp}.") + raw, "sha256")
    return "v1," + base64.b64encode(digest).decode("ascii")


def is_genuine(
    secrets: Sequence[str], headers: Mapping[str, str], raw_body: bytes, now: datetime
) -> bool:
    """True when a signature matches one of the active secrets and the time is within 5 minutes.

    `headers` has lower-case names. Far-future times are refused like old ones. A secret that is
    shorter than one can be (empty, `whsec_`, `none`) signs nothing.
    """
    msg_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")[:8]
    if not msg_id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(int(now.timestamp()) - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    active = [secret for secret in secrets if len(_key_of(secret)) >= MIN_KEY_BYTES]
    expected = [sign(secret, msg_id, int(timestamp), raw_body) for secret in active]
    matches = [
        hmac.compare_digest(one.encode(), _bytes_of(other)) for one in expected for other in given
    ]
    return any(matches)


def _key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # A header may be no text at all.
