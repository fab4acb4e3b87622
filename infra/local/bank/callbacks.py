"""What a provider sends to the platform: made by its dialect, sent over HTTP, and answered."""

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from chalicelib.config import settings

CALLBACK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Callback:
    """A signed request to the platform. `counted_in` names a header that numbers its deliveries."""

    what: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    counted_in: str = ""

    def delivery(self, number: int) -> "Callback":
        """The same callback as it is sent for the `number`th time."""
        if not self.counted_in:
            return self
        return replace(self, headers={**self.headers, self.counted_in: str(number)})


@dataclass(frozen=True, slots=True)
class Sent:
    """A callback that was sent, and what the platform answered; status 0: it did not answer."""

    what: str
    status: int
    answer: str


Send = Callable[[Callback], Sent]


def callback_url(provider: str, given: str = "") -> str:
    """Where a provider's callbacks go: where it was told to, else where it is configured to."""
    return given or f"{settings().public_url}/v1/payments/callbacks/{provider}"


def is_ours(url: str) -> bool:
    """Whether an address that the platform gave is its own: the sandbox calls nobody else."""
    return not url or url.startswith(f"{settings().public_url}/")


def send_over_http(callback: Callback) -> Sent:
    """Post a callback to the platform."""
    address = urlsplit(callback.url)
    connection = http.client.HTTPConnection(
        address.hostname or "127.0.0.1", address.port, timeout=CALLBACK_SECONDS
    )
    try:
        connection.request("POST", address.path, callback.body, dict(callback.headers))
        answer = connection.getresponse()
        return Sent(callback.what, answer.status, answer.read().decode("utf-8", "replace"))
    except OSError as error:
        return Sent(callback.what, 0, f"no answer: {error}")
    finally:
        connection.close()
