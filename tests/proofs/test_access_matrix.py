"""P14, default deny: every route by every kind of caller, and a line here for every route."""

import re

import pytest

from chalicelib.edge.auth import Access
from chalicelib.edge.operations import OPERATIONS, Operation
from tests import tokens
from tests.factories.artisans import a_registration
from tests.factories.listings import a_new_listing

# Who may call what. A new route needs a line here: decide it, do not copy it.
MATRIX = {
    "GET /docs": Access.PUBLIC,
    "GET /v1/artisans/{artisan_id}": Access.PUBLIC,
    "GET /v1/collections": Access.PUBLIC,
    "GET /v1/crafts": Access.PUBLIC,
    "GET /v1/errors": Access.PUBLIC,
    "GET /v1/errors/{code}": Access.PUBLIC,
    "GET /v1/health": Access.PUBLIC,
    "GET /v1/listings": Access.PUBLIC,
    "GET /v1/listings/{listing_id}": Access.PUBLIC,
    "GET /v1/openapi.json": Access.PUBLIC,
    "POST /v1/orders": Access.PUBLIC,
    "GET /p/{code}": Access.PUBLIC,
    "POST /p/{code}": Access.PUBLIC,
    "GET /v1/payment-links/{code}": Access.PUBLIC,
    "POST /v1/payment-links/{code}/payments": Access.PUBLIC,
    "POST /v1/quotes": Access.PUBLIC,
    "GET /v1/regions": Access.PUBLIC,
    "GET /v1/orders/{order_id}": Access.BUYER,
    "POST /v1/orders/{order_id}/cancel": Access.BUYER,
    "POST /v1/orders/{order_id}/payments": Access.BUYER,
    "GET /v1/orders/{order_id}/returns": Access.BUYER,
    "POST /v1/orders/{order_id}/returns": Access.BUYER,
    "GET /v1/payments/{payment_id}/return": Access.PUBLIC,
    "POST /v1/artisans": Access.ARTISAN,
    "GET /v1/me": Access.ARTISAN,
    "PATCH /v1/me": Access.ARTISAN,
    "GET /v1/me/balance": Access.ARTISAN,
    "GET /v1/me/listings": Access.ARTISAN,
    "POST /v1/me/listings": Access.ARTISAN,
    "GET /v1/me/listings/{listing_id}": Access.ARTISAN,
    "PATCH /v1/me/listings/{listing_id}": Access.ARTISAN,
    "POST /v1/me/listings/{listing_id}/retire": Access.ARTISAN,
    "PUT /v1/me/listings/{listing_id}/stock": Access.ARTISAN,
    "POST /v1/me/listings/{listing_id}/submit": Access.ARTISAN,
    "GET /v1/me/orders": Access.ARTISAN,
    "POST /v1/me/parcels/{parcel_id}/accept": Access.ARTISAN,
    "POST /v1/me/parcels/{parcel_id}/decline": Access.ARTISAN,
    "POST /v1/me/parcels/{parcel_id}/delivered": Access.ARTISAN,
    "POST /v1/me/parcels/{parcel_id}/ship": Access.ARTISAN,
    "GET /v1/me/payment-links": Access.ARTISAN,
    "POST /v1/me/payment-links": Access.ARTISAN,
    "GET /v1/me/payment-links/{link_id}": Access.ARTISAN,
    "POST /v1/me/payment-links/{link_id}/cancel": Access.ARTISAN,
    "PUT /v1/me/payout-destination": Access.ARTISAN,
    "POST /v1/me/payout-destination/confirm": Access.ARTISAN,
    "GET /v1/me/payouts": Access.ARTISAN,
    "POST /v1/me/payouts": Access.ARTISAN,
    "GET /v1/me/returns": Access.ARTISAN,
    "GET /v1/me/returns/{return_id}": Access.ARTISAN,
    "POST /v1/me/returns/{return_id}/accept": Access.ARTISAN,
    "POST /v1/me/returns/{return_id}/received": Access.ARTISAN,
    "POST /v1/me/returns/{return_id}/refuse": Access.ARTISAN,
    "GET /v1/me/statements": Access.ARTISAN,
    "GET /v1/me/statements/{month}": Access.ARTISAN,
    "POST /v1/me/verification": Access.ARTISAN,
    "GET /v1/me/balance/parts": Access.ARTISAN,
    "POST /v1/operator/holds": Access.OPERATOR,
    "GET /v1/operator/holds": Access.OPERATOR,
    "GET /v1/operator/holds/{hold_id}": Access.OPERATOR,
    "POST /v1/operator/holds/{hold_id}/lift": Access.OPERATOR,
    "GET /v1/operator/receivables": Access.OPERATOR,
    "GET /v1/operator/artisans/{artisan_id}/write-offs": Access.OPERATOR,
    "POST /v1/operator/artisans/{artisan_id}/write-offs": Access.OPERATOR,
    "POST /v1/operator/artisans/{artisan_id}/write-offs/{write_off_id}/approve": Access.OPERATOR,
    "GET /v1/operator/artisans": Access.OPERATOR,
    "POST /v1/operator/artisans/{artisan_id}/reinstate": Access.OPERATOR,
    "POST /v1/operator/artisans/{artisan_id}/reject": Access.OPERATOR,
    "POST /v1/operator/artisans/{artisan_id}/suspend": Access.OPERATOR,
    "POST /v1/operator/artisans/{artisan_id}/verify": Access.OPERATOR,
    "GET /v1/operator/audit": Access.OPERATOR,
    "GET /v1/operator/callbacks": Access.OPERATOR,
    "GET /v1/operator/callbacks/{event_key}": Access.OPERATOR,
    "POST /v1/operator/callbacks/{event_key}/apply": Access.OPERATOR,
    "GET /v1/operator/disputes": Access.OPERATOR,
    "GET /v1/operator/disputes/{dispute_id}": Access.OPERATOR,
    "GET /v1/operator/disputes/{dispute_id}/evidence": Access.OPERATOR,
    "POST /v1/operator/disputes/{dispute_id}/evidence": Access.OPERATOR,
    "POST /v1/operator/disputes/{dispute_id}/lost": Access.OPERATOR,
    "POST /v1/operator/disputes/{dispute_id}/won": Access.OPERATOR,
    "GET /v1/operator/ledger/accounts/{account}": Access.OPERATOR,
    "GET /v1/operator/ledger/check": Access.OPERATOR,
    "GET /v1/operator/ledger/days": Access.OPERATOR,
    "GET /v1/operator/listings": Access.OPERATOR,
    "POST /v1/operator/listings/{listing_id}/publish": Access.OPERATOR,
    "POST /v1/operator/listings/{listing_id}/return": Access.OPERATOR,
    "GET /v1/operator/orders": Access.OPERATOR,
    "GET /v1/operator/payments": Access.OPERATOR,
    "POST /v1/operator/payments/{payment_id}/disputes": Access.OPERATOR,
    "POST /v1/operator/payments/{payment_id}/refunds": Access.OPERATOR,
    "POST /v1/operator/payments/{payment_id}/reviewed": Access.OPERATOR,
    "GET /v1/operator/refunds": Access.OPERATOR,
    "GET /v1/operator/refunds/{refund_id}": Access.OPERATOR,
    "POST /v1/operator/refunds/{refund_id}/by-hand": Access.OPERATOR,
    "POST /v1/operator/refunds/{refund_id}/confirm": Access.OPERATOR,
    "POST /v1/operator/refunds/{refund_id}/fail": Access.OPERATOR,
    "POST /v1/operator/refunds/{refund_id}/retry": Access.OPERATOR,
    "POST /v1/operator/bank-files": Access.OPERATOR,
    "GET /v1/operator/bank-files/{file_id}": Access.OPERATOR,
    "GET /v1/operator/bank-files/{file_id}/lines": Access.OPERATOR,
    "GET /v1/operator/payout-batches": Access.OPERATOR,
    "POST /v1/operator/payout-batches": Access.OPERATOR,
    "GET /v1/operator/payout-batches/{batch_id}": Access.OPERATOR,
    "POST /v1/operator/payout-batches/{batch_id}/approve": Access.OPERATOR,
    "POST /v1/operator/payout-batches/{batch_id}/cancel": Access.OPERATOR,
    "GET /v1/operator/payout-batches/{batch_id}/file": Access.OPERATOR,
    "GET /v1/operator/payout-batches/{batch_id}/payouts": Access.OPERATOR,
    "GET /v1/operator/payout-batches/{batch_id}/skipped": Access.OPERATOR,
    "POST /v1/operator/payout-batches/{batch_id}/submit": Access.OPERATOR,
    "GET /v1/operator/breaks": Access.OPERATOR,
    "POST /v1/operator/breaks/{break_id}/resolve": Access.OPERATOR,
    "GET /v1/operator/clearing": Access.OPERATOR,
    "POST /v1/operator/reconciliations": Access.OPERATOR,
    "GET /v1/operator/reconciliations/{reconciliation_id}": Access.OPERATOR,
    "GET /v1/operator/campaigns": Access.OPERATOR,
    "POST /v1/operator/campaigns": Access.OPERATOR,
    "POST /v1/operator/campaigns/{code}/end": Access.OPERATOR,
    "GET /v1/operator/commission": Access.OPERATOR,
    "GET /v1/operator/commission-rules": Access.OPERATOR,
    "POST /v1/operator/commission-rules": Access.OPERATOR,
    "GET /v1/operator/commission-rules/{rule_id}": Access.OPERATOR,
    "PUT /v1/operator/commission-rules/{rule_id}": Access.OPERATOR,
    "POST /v1/operator/commission-rules/{rule_id}/end": Access.OPERATOR,
    "GET /v1/operator/regions/{code}": Access.OPERATOR,
    "PUT /v1/operator/regions/{code}": Access.OPERATOR,
    "POST /v1/payments/callbacks/cmi": Access.PROVIDER,
    "POST /v1/payments/callbacks/mastercard": Access.PROVIDER,
    "POST /v1/payments/callbacks/payzone": Access.PROVIDER,
    "POST /v1/payments/callbacks/wallet": Access.PROVIDER,
}
ADMITTED = {
    Access.PUBLIC: {"anonymous", "buyer", "nobody's group", "artisan", "operator"},
    Access.BUYER: {"anonymous", "buyer", "nobody's group", "artisan", "operator"},
    Access.ARTISAN: {"artisan"},
    Access.OPERATOR: {"operator"},
    Access.PROVIDER: set(),  # only a signature admits, and none is sent here
}
FOR_ORDERS = [each for each in MATRIX if MATRIX[each] is Access.BUYER]
IDS = {
    "artisan_id": "art_" + "a" * 24,
    "listing_id": "lst_" + "a" * 24,
    "order_id": "ord_" + "a" * 24,
    "parcel_id": "prc_" + "a" * 24 + "01",
    "payment_id": "pay_" + "a" * 24 + "01",
    "link_id": "lnk_" + "a" * 24,
    "refund_id": "rfd_" + "a" * 24,
    "dispute_id": "dsp_" + "a" * 24,
    "return_id": "ret_" + "a" * 24 + "01",
    "event_key": "wallet%23msg_1",
    "rule_id": "cru_" + "a" * 24,
    "batch_id": "pbt_" + "a" * 24,
    "reconciliation_id": "rec_" + "a" * 24,
    "break_id": "brk_" + "a" * 24,
    "code": "MA-03",
    "account": "platform:commission",
}


def mounted() -> list[Operation]:
    import app  # noqa: F401  mounts every route

    return OPERATIONS


def target_of(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: IDS.get(found[1], "x"), path)


def ask(api, route: str, headers: dict[str, str]):
    method, _, path = route.partition(" ")
    operation = next(each for each in mounted() if (each.method, each.path) == (method, path))
    sent = dict(headers)
    if method not in ("GET", "DELETE"):
        sent["Content-Type"] = operation.media[0]
    body = b"{}" if sent.get("Content-Type") == "application/json" else b""
    return api.request(method, target_of(path), body, headers=sent)


@pytest.fixture
def callers(api) -> dict[str, dict[str, str]]:
    def bearer(*groups: str) -> dict[str, str]:
        said = tokens.claims(f"somebody in {groups}", *groups)
        return {"Authorization": f"Bearer {tokens.signed(said)}"}

    return {
        "anonymous": {},
        "buyer": {"Order-Token": "made-up"},
        "nobody's group": bearer("something-else"),
        "artisan": bearer("artisans"),
        "operator": bearer("operators"),
    }


def test_P14_every_route_has_its_line_and_every_line_its_route():
    declared = {f"{each.method} {each.path}": each.access for each in mounted()}
    assert declared == MATRIX


def test_addresses_say_whom_they_are_for():
    for route, access in MATRIX.items():
        path = route.partition(" ")[2]
        assert path.startswith("/v1/operator/") == (access is Access.OPERATOR), route
        assert ("/payments/callbacks/" in path) == (access is Access.PROVIDER), route
        if path == "/v1/me" or path.startswith("/v1/me/"):
            assert access is Access.ARTISAN, route


@pytest.mark.parametrize("route", MATRIX)
def test_P14_only_those_it_is_for_are_admitted(api, callers, route):
    admitted = ADMITTED[MATRIX[route]]
    for who, headers in callers.items():
        answer = ask(api, route, headers)
        known = "Authorization" in headers
        if who in admitted:
            assert answer.status not in (401, 403), (who, answer.text)
        elif MATRIX[route] is Access.PROVIDER or not known:
            assert answer.status == 401, (who, answer.text)
        else:
            assert answer.status == 403, (who, answer.text)


@pytest.mark.parametrize("route", MATRIX)
def test_P14_a_forged_or_expired_token_is_worth_less_than_none(api, route):
    bad = tokens.forged("demo-operator-001", "operators", "artisans")
    bad["expired"] = tokens.expired("demo-operator-001", "operators", "artisans")
    for kind, token in bad.items():
        answer = ask(api, route, {"Authorization": f"Bearer {token}"})
        assert answer.status == 401, (kind, answer.text)
        expected = "token_expired" if kind == "expired" else "unauthorized"
        if MATRIX[route] is not Access.PROVIDER:
            assert answer.json["code"] == expected, kind


@pytest.mark.parametrize("route", MATRIX)
def test_P14_a_refusal_says_nothing_about_what_is_there(api, callers, route):
    for who, headers in callers.items():
        answer = ask(api, route, headers)
        is_told_in_dialect = MATRIX[route] is Access.PROVIDER
        if answer.status in (401, 403) and not is_told_in_dialect:
            said = set(answer.json)
            assert said == {"type", "title", "status", "detail", "code", "request_id"}, who


@pytest.mark.parametrize("route", FOR_ORDERS)
def test_P14_an_order_that_is_not_there_is_not_found_whoever_asks(api, callers, route):
    body = None if route.startswith("GET") else {"payment_method": "card"}
    method, _, path = route.partition(" ")
    if path.endswith("/cancel"):
        body = {}
    if path.endswith("/returns") and body is not None:
        body = {"lines": [{"listing_id": IDS["listing_id"], "quantity": 1}], "reason": "too big"}
    answers = []
    for headers in callers.values():
        key = {"Idempotency-Key": "one"}
        answer = api.request(method, target_of(path), body, headers=headers | key)
        answers.append((answer.status, answer.json["code"], answer.json["detail"]))
    assert {status for status, _, _ in answers} == {404}
    assert len(set(answers)) == 1


class TestListingsOfAnother:
    """An artisan's draft: the other artisan is answered as if it did not exist."""

    @pytest.fixture
    def registered(self, api):
        for subject in ("amina", "said"):
            answer = api.post(
                "/v1/artisans", a_registration(), token=api.token(subject, "artisans")
            )
            assert answer.status == 201, answer.text

    ROUTES = [
        ("GET", "", None),
        ("PATCH", "", {"price": {"amount_minor": 100, "currency": "MAD"}}),
        ("POST", "/submit", {}),
        ("POST", "/retire", {}),
        ("PUT", "/stock", {"on_hand": 3}),
    ]

    @pytest.mark.parametrize(("method", "end", "body"), ROUTES)
    def test_P14_what_is_anothers_answers_like_what_does_not_exist(
        self, api, registered, method, end, body
    ):
        made = api.post("/v1/me/listings", a_new_listing(), token=api.token("amina", "artisans"))
        assert made.status == 201, made.text
        own = f"/v1/me/listings/{made.json['id']}"
        before = api.get(own, token=api.token("amina", "artisans")).json
        theirs, nowhere = (
            api.request(
                method,
                f"/v1/me/listings/{listing}{end}",
                body,
                token=api.token("said", "artisans"),
            )
            for listing in (made.json["id"], IDS["listing_id"])
        )
        assert theirs.status == nowhere.status == 404
        ours = {"request_id"}
        assert {k: v for k, v in theirs.json.items() if k not in ours} == {
            k: v for k, v in nowhere.json.items() if k not in ours
        }
        assert api.get(own, token=api.token("amina", "artisans")).json == before
