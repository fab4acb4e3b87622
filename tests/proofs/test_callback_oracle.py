"""P16: who cannot sign learns nothing by asking: the answer is the same whatever there is."""

import json
from urllib.parse import urlencode

import pytest

from chalicelib.edge.auth import Access
from tests import wire
from tests.aws import Api
from tests.factories import shop
from tests.factories.orders import an_order_request, open_shop
from tests.proofs.test_access_matrix import MATRIX
from tests.proofs.test_bad_input import operation_of

OF_PROVIDERS = [route for route, access in MATRIX.items() if access is Access.PROVIDER]
SIGNATURES = (
    {},
    {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"},
    {"x-callback-signature": "0" * 64},
    {"x-notification-secret": "x" * 32},
)


@pytest.fixture
def payments(api: Api) -> list[str]:
    """References of a payment that is there, and of ones that are not."""
    open_shop()
    shop.buy(an_order_request())
    known = shop.payment_id_of(an_order_request().order_id)
    return [known, known[:-2] + "09", "pay_" + "a" * 24 + "01", "rfd_x", "nonsense", ""]


def bodies(media: str, reference: str) -> list[bytes]:
    fields = {
        "oid": reference, "reference": reference, "orderId": reference, "order.id": reference,
        "id": reference, "HASH": "A" * 88, "type": "payment.succeeded",
    }  # fmt: skip
    if "form" in media:
        return [urlencode(fields).encode()]
    nested = fields | {"order": {"id": reference}, "transaction": {"id": reference}}
    return [json.dumps(fields).encode(), json.dumps(nested).encode()]


@pytest.mark.parametrize("route", OF_PROVIDERS)
def test_P16_an_unsigned_callback_cannot_tell_what_there_is(api: Api, payments, route):
    operation = operation_of(route)
    media = operation.media[0].replace("*/*", "application/json")
    answers = set()
    for reference in payments:
        for body in bodies(media, reference):
            for signature in SIGNATURES:
                with wire.counted() as asked:
                    answer = api.post(
                        operation.path, body, headers={"Content-Type": media, **signature}
                    )
                assert asked == [], (reference, signature)
                answers.add(_without_request_id(answer))
    assert len(answers) == 1, answers
    assert next(iter(answers))[0] == 401


def _without_request_id(answer) -> tuple[int, str, bytes]:
    identifier = answer.headers["x-request-id"]
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status, json.dumps(headers), answer.body.replace(identifier.encode(), b"")
