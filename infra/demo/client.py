"""A small client of our own HTTP API, for the demo: it says what went wrong in a sentence."""

import json
import time
import uuid
from types import TracebackType
from typing import Any

import httpx

from chalicelib.config import Settings
from chalicelib.edge.standard_webhooks import sign
from chalicelib.payments.providers.cmi import ver3_hash

LOCAL = Settings()


class DemoFailed(Exception):
    """The marketplace did not answer as it should."""


class Marketplace:
    """The API at an address; every refusal ends the demo with the problem's own words."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = httpx.Client(base_url=address, timeout=60)

    def __enter__(self) -> "Marketplace":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def call(self, method: str, path: str, token: str = "", **options: Any) -> Any:
        """The JSON of an answer, or its text where it is none."""
        headers = options.pop("headers", {}) | {"Accept-Language": "en"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if method == "POST":
            headers.setdefault("Idempotency-Key", uuid.uuid4().hex)
        answer = self._http.request(method, path, headers=headers, **options)
        if answer.status_code >= 400:
            raise DemoFailed(f"{method} {path} was refused: {answer.status_code} {answer.text}")
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.json() if is_json and answer.content else answer.text

    def cmi_callback(self, fields: dict[str, str], transaction: str) -> str:
        """What CMI posts when the card was accepted, signed with the local store key."""
        posted = {
            "clientid": fields["clientid"],
            "oid": fields["oid"],
            "amount": fields["amount"],
            "currency": fields["currency"],
            "ProcReturnCode": "00",
            "Response": "Approved",
            "TransId": transaction,
            "rnd": uuid.uuid4().hex,
            "hashAlgorithm": "ver3",
            "encoding": "UTF-8",
        }
        posted["HASH"] = ver3_hash(posted, LOCAL.cmi_store_key)
        text: str = self.call("POST", "/v1/payments/callbacks/cmi", data=posted)
        return text

    def wallet_callback(self, kind: str, reference: str, amount: dict[str, Any]) -> None:
        """What the wallet (or the bank, through it) posts, in Standard Webhooks form."""
        body = json.dumps(
            {
                "type": kind,
                "reference": reference,
                "provider_reference": f"W-{reference[-8:]}",
                "amount": amount,
                "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }
        )
        msg_id, timestamp = f"msg_{uuid.uuid4().hex}", int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": msg_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(LOCAL.wallet_secret, msg_id, timestamp, body),
        }
        self.call("POST", "/v1/payments/callbacks/wallet", content=body, headers=headers)
