"""P7 and P16: what a genuine callback may do: as long as its secret counts, once, and no more than
the provider says when it is asked."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography.exceptions import InvalidTag

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import outbound
from chalicelib.edge.sealing import unseal
from chalicelib.ledger.tables import LedgerTable
from chalicelib.payments import tables as payment_tables
from chalicelib.payments.callback_tables import CallbackTable
from chalicelib.payments.domain import Payment, PaymentStatus
from chalicelib.payments.refund_tables import RefundTable
from infra.local.payments import find_due
from infra.local.pump import Pump
from tests.aws import Answered, Api
from tests.factories import shop
from tests.factories.bank import InProcessBank
from tests.factories.callbacks import (
    METHODS,
    SECRETS,
    Sent,
    a_secret,
    cmi_said,
    genuine,
    mastercard_said,
    notification,
    post,
)
from tests.factories.orders import an_order_request
from tests.factories.payments import FORM, signed, wallet_headers
from tests.proofs.forgeries import (
    KEYS,
    KNOWN,
    OK,
    PROVIDERS,
    UNKNOWN,
    Forge,
    check_refused,
    open_for,
    stored,
)

each_provider = pytest.mark.parametrize("provider", PROVIDERS)
each_signed = pytest.mark.parametrize("provider", ["cmi", "payzone", "wallet"])


@pytest.fixture
def silent_bank(api: Api) -> InProcessBank:
    """The providers answer when they are asked, and tell nothing by themselves."""
    made = InProcessBank(find=find_due)
    outbound.set_transport(made.carry)
    return made


@pytest.fixture
def shop_api(api: Api, silent_bank: InProcessBank, provider: str) -> Api:
    """A shop with an order to be paid at the provider that the test is about."""
    open_for(provider)
    return api


def said(answered: Answered) -> tuple[int, str]:
    return answered.status, answered.text


def by(provider: str, secret: str) -> Forge:
    return lambda reference: genuine(provider, reference, secret=secret)


def payment_of(provider: str) -> Payment:
    found = payment_tables.find(KNOWN[provider])
    assert found is not None
    return found


def outcomes() -> list[tuple[str, str | None]]:
    return [(row.status, row.outcome) for row in CallbackTable.scan()]


Exchange = Callable[[str, str], None]


@each_provider
def test_P15_the_raw_body_is_kept_sealed_for_its_eighteen_months(
    shop_api: Api, provider: str
) -> None:
    sent = genuine(provider, KNOWN[provider])
    assert said(post(shop_api, provider, sent)) == OK[provider]
    [row] = CallbackTable.scan()
    sealed = bytes(row.raw_body)
    assert unseal(sealed, row.event_key) == sent.body
    assert KNOWN[provider].encode() not in sealed
    with pytest.raises(InvalidTag):
        unseal(sealed, f"{row.event_key}-other")
    kept_for = row.expires - clock.from_text(row.received_at)
    assert abs(kept_for - timedelta(days=550)) < timedelta(seconds=2)


class TestRotation:
    """While a secret is exchanged, the new one and the one before are good, and no other."""

    @pytest.fixture
    def exchange(self, monkeypatch: pytest.MonkeyPatch) -> Exchange:
        """Set a provider's secret anew; the one that was becomes the previous one."""

        def act(provider: str, to: str) -> None:
            name = SECRETS[provider]
            monkeypatch.setenv(f"MAALEM_{name.upper()}_PREVIOUS", getattr(settings(), name))
            monkeypatch.setenv(f"MAALEM_{name.upper()}", to)
            settings.cache_clear()

        return act

    @each_provider
    def test_the_one_before_and_the_new_one_are_good(
        self, shop_api: Api, exchange: Exchange, provider: str
    ) -> None:
        first, second = getattr(settings(), SECRETS[provider]), a_secret(provider, 2)
        exchange(provider, second)
        for secret in (first, second):
            sent = genuine(provider, KNOWN[provider], secret=secret)
            assert said(post(shop_api, provider, sent)) == OK[provider]

    @each_provider
    def test_P16_the_second_last_one_and_the_next_one_are_not(
        self, shop_api: Api, exchange: Exchange, provider: str
    ) -> None:
        first = getattr(settings(), SECRETS[provider])
        exchange(provider, a_secret(provider, 2))
        exchange(provider, a_secret(provider, 3))
        for secret in (first, a_secret(provider, 4)):
            check_refused(shop_api, provider, by(provider, secret), (KNOWN[provider], UNKNOWN))

    @each_provider
    def test_P16_where_there_was_none_before_an_empty_one_signs_nothing(
        self, shop_api: Api, provider: str
    ) -> None:
        assert getattr(settings(), f"{SECRETS[provider]}_previous") == ""
        check_refused(shop_api, provider, by(provider, ""), (KNOWN[provider], UNKNOWN))

    @pytest.mark.parametrize("provider", ["wallet"])
    def test_P16_a_wallets_secret_that_is_too_short_signs_nothing(
        self, shop_api: Api, exchange: Exchange, provider: str
    ) -> None:
        for empty in ("whsec_", "-", "none", "whsec_bm9uZQ=="):
            exchange(provider, empty)
            check_refused(shop_api, provider, by(provider, empty), (KNOWN[provider],))


def _posted(sent: Sent, change: Callable[[dict[str, str]], dict[str, str]]) -> Sent:
    """A form with the fields of another; their hash stays as it was."""
    fields = dict(parse_qsl(sent.body.decode(), keep_blank_values=True))
    return replace(sent, body=urlencode(change(fields)).encode())


def _signed_later(sent: Sent) -> Sent:
    headers = wallet_headers(sent.body, sent.headers["webhook-id"], late_seconds=-60)
    return Sent(sent.body, headers)


def _in_upper_case(sent: Sent) -> Sent:
    signature = sent.headers["X-Callback-Signature"].upper()
    return replace(sent, headers={**sent.headers, "X-Callback-Signature": signature})


def _next_attempt(sent: Sent) -> Sent:
    return replace(sent, headers={**sent.headers, "X-Notification-Attempt": "2"})


Again = Callable[[Sent], Sent]
AGAIN: dict[str, dict[str, Again]] = {
    "cmi": {
        "in another order": lambda s: _posted(s, lambda f: dict(reversed(f.items()))),
        "as entities": lambda s: _posted(s, lambda f: f | {"amount": "&#50;84.90"}),
        "with line feeds": lambda s: _posted(s, lambda f: {k: f"{f[k]}\n" for k in f}),
        "in another encoding": lambda s: _posted(s, lambda f: f | {"encoding": "00"}),
        "with two encodings": lambda s: _posted(s, lambda f: f | {"Encoding": "Approved"}),
        "with its hash in lower case": lambda s: _posted(s, lambda f: {"hash": f.pop("HASH"), **f}),
    },
    "mastercard": {"counted": _next_attempt},
    "payzone": {"in upper case": _in_upper_case},
    "wallet": {"signed a minute later": _signed_later},
}
"""As a provider sends its event again, and all that its scheme leaves unsigned."""


@each_provider
def test_P7_the_same_event_again_is_answered_the_same_and_has_no_second_effect(
    shop_api: Api, pump: Pump, silent_bank: InProcessBank, provider: str
) -> None:
    # Given a payment that was paid, and is settled
    silent_bank.press(KNOWN[provider])
    sent = genuine(provider, KNOWN[provider])
    assert said(post(shop_api, provider, sent)) == OK[provider]
    pump.drain()
    paid = {"cmi": PaymentStatus.CAPTURE_REQUESTED}.get(provider, PaymentStatus.CAPTURED)
    assert payment_of(provider).status is paid
    assert LedgerTable.count() > 0
    # When it is told again, then nothing has changed
    after = stored()
    for how, again in {"to the byte": lambda sent: sent, **AGAIN[provider]}.items():
        for _ in range(2):
            assert said(post(shop_api, provider, again(sent))) == OK[provider], how
        pump.drain()
        assert stored() == after, how


LIES: dict[str, dict[str, Any]] = {
    "all of it": {},
    "less": {"minor": 100},
    "more": {"minor": 10**9},
    "in another currency": {"currency": "EUR"},
    "only reserved": {"status": "AUTHORIZED", "totalCapturedAmount": "0.00"},
    "given back": {"status": "REFUNDED", "totalRefundedAmount": "284.90"},
    "disputed": {"status": "DISPUTED"},
    "charged back": {"status": "CHARGEBACK_PROCESSED"},
    "let go of": {"status": "CANCELLED"},
    "refused": {"status": "FAILED"},
    "nonsense": {"status": ["CAPTURED"], "amount": {}, "currency": None},
}
OURS = KNOWN["mastercard"]


@pytest.mark.parametrize("provider", ["mastercard"])
class TestNotificationsAreNotBelieved:
    """Mastercard's are genuine by a secret that says nothing of the body: the bank is asked."""

    @pytest.fixture(autouse=True)
    def _shop(self, shop_api: Api, pump: Pump, silent_bank: InProcessBank, provider: str) -> None:
        self.api, self.pump, self.bank = shop_api, pump, silent_bank

    def tell(self, what: dict[str, Any]) -> None:
        assert said(post(self.api, "mastercard", notification(what))) == OK["mastercard"]
        self.pump.drain()

    def asked(self) -> list[str]:
        """Whom the bank was asked about."""
        return [call.url for call in self.bank.calls if not call.url.endswith("/session")]

    def test_P16_while_the_bank_knows_of_no_money_nothing_is_paid(self) -> None:
        before = payment_of("mastercard")
        for name, lie in LIES.items():
            self.tell(mastercard_said(OURS, **lie))
            found = payment_of("mastercard")
            assert (found.status, found.attempts) == (PaymentStatus.PENDING, ()), name
            assert (found.amount, found.review) == (before.amount, False), name
        assert LedgerTable.count() == 0
        assert set(outcomes()) == {("applied", "the provider is asked")}
        assert len(self.asked()) == len(LIES)
        shop.check_shop()

    @pytest.mark.parametrize("lie", ["less", "only reserved", "given back", "refused", "nonsense"])
    def test_P16_what_the_bank_has_reserved_is_taken_whatever_was_said(self, lie: str) -> None:
        self.bank.press(OURS)
        assert self.bank.charge(OURS).state == "authorized"
        self.tell(mastercard_said(OURS, **LIES[lie]))
        found = payment_of("mastercard")
        assert (found.status, found.refunded_minor, found.dispute_id) == (
            PaymentStatus.CAPTURED, 0, None,
        )  # fmt: skip
        assert self.bank.charge(OURS).view()["captured_minor"] == 28_490

    @pytest.mark.parametrize("lie", ["all of it", "only reserved"])
    def test_P16_another_amount_than_was_asked_for_is_let_go_of(self, lie: str) -> None:
        self.bank.press(OURS)
        self.bank.charge(OURS).tries[0].amount_minor -= 100
        self.tell(mastercard_said(OURS, **LIES[lie]))
        found = payment_of("mastercard")
        assert (found.status, found.review_reason) == (PaymentStatus.VOIDED, "amount differs")
        assert self.bank.charge(OURS).view()["captured_minor"] == 0
        assert LedgerTable.count() == 0
        shop.check_shop()

    def test_P16_what_is_paid_stays_paid_whatever_is_said(self) -> None:
        self.bank.press(OURS)
        self.tell(mastercard_said(OURS))
        entries = LedgerTable.count()
        for name, lie in LIES.items():
            self.tell(mastercard_said(OURS, **lie) | {"result": "again"})
            found = payment_of("mastercard")
            assert (found.status, found.refunded_minor, found.dispute_id, found.review) == (
                PaymentStatus.CAPTURED, 0, None, False,
            ), name  # fmt: skip
        assert LedgerTable.count() == entries > 0

    def test_P16_of_another_merchants_order_our_own_account_is_asked(self) -> None:
        self.tell(mastercard_said(OURS) | {"merchant": "ANOTHER"})
        assert payment_of("mastercard").status is PaymentStatus.PENDING
        [url] = self.asked()
        assert url.endswith(f"/merchant/{settings().mastercard_merchant_id}/order/{OURS}")

    def test_P16_about_an_order_that_we_do_not_know_nobody_is_asked(self) -> None:
        for named in (UNKNOWN, "ANOTHER-SHOPS-ORDER", "", "../../session", "'"):
            self.tell(mastercard_said(named))
        assert outcomes() == [("parked", "unknown reference")] * 5
        assert self.asked() == []

    def test_P16_about_a_payment_at_another_provider_nobody_is_asked(self) -> None:
        for other in ("cmi", "payzone", "wallet"):
            shop.buy(an_order_request(KEYS[other]), METHODS[other])
            self.tell(mastercard_said(KNOWN[other]))
            assert payment_of(other).status is PaymentStatus.PENDING
        assert outcomes() == [("parked", "unknown reference")] * 3
        assert self.asked() == []

    def test_P16_a_genuine_one_that_cannot_be_read_is_parked(self) -> None:
        bodies = (b"", b"[]", b"\xff", b'"pay_"', b"{" * 2000, b"null")
        for number, body in enumerate(bodies):
            sent = replace(notification({}, event_id=f"unread-{number}"), body=body)
            assert said(post(self.api, "mastercard", sent)) == OK["mastercard"]
        self.pump.drain()
        assert outcomes() == [("parked", "unknown reference")] * len(bodies)


@each_signed
def test_P16_an_amount_that_is_signed_and_differs_pays_nothing(
    shop_api: Api, pump: Pump, provider: str
) -> None:
    answer = {"cmi": (200, "APPROVED")}.get(provider, OK[provider])
    for minor in (28_489, 28_491, 1, 2_849_000):
        assert said(post(shop_api, provider, genuine(provider, KNOWN[provider], minor))) == answer
        pump.drain()
        found = payment_of(provider)
        assert (found.status, found.review_reason) == (PaymentStatus.PENDING, "amount differs")
    shop.check_shop()


def test_money_that_does_not_fit_is_not_debited_when_cmi_sends_it_again(api: Api) -> None:
    """Sent again it has another nonce, and so is another event; its receipt is known."""
    open_for("cmi")
    for nonce in ("r1", "r2", "r3"):
        fields = cmi_said(KNOWN["cmi"], 28_390, rnd=nonce)
        assert said(post(api, "cmi", Sent(signed(fields), FORM))) == (200, "APPROVED")
    assert sorted(outcomes()) == [
        ("applied", "unapplied: amount differs"),
        ("no_effect", "unapplied: known: amount differs"),
        ("no_effect", "unapplied: known: amount differs"),
    ]
    assert RefundTable.count() == 1
    shop.check_shop()


@each_signed
def test_P16_who_signs_for_one_provider_pays_at_no_other(
    shop_api: Api, pump: Pump, provider: str
) -> None:
    answer = {"cmi": (200, "APPROVED")}.get(provider, OK[provider])
    others = [other for other in PROVIDERS if other != provider]
    for other in others:
        shop.buy(an_order_request(KEYS[other]), METHODS[other])
        assert said(post(shop_api, provider, genuine(provider, KNOWN[other]))) == answer
    pump.drain()
    assert {payment_of(other).status for other in others} == {PaymentStatus.PENDING}
    assert outcomes() == [("applied", "unapplied: another provider")] * 3
    shop.check_shop()
