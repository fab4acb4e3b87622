"""Each magic amount at each provider: what stands in the bank's books, and what was sent."""

from datetime import timedelta

import pytest

from chalicelib.edge.outbound import OutcomeUnknown
from chalicelib.money import Money
from chalicelib.payments.providers import cmi
from chalicelib.payments.reports import RefundState, ReportState
from infra.local.bank.accounts import State
from infra.local.bank.magic import MAGIC, PAID, magic_of, table_rows
from tests.factories.provider_calls import capture
from tests.factories.sandbox import REFERENCE, Buyer

PROVIDERS = ["cmi", "mastercard", "payzone", "wallet"]
ENDINGS = [0, *MAGIC]
every_provider = pytest.mark.parametrize("provider", PROVIDERS)
every_amount = pytest.mark.parametrize("ending", ENDINGS)


def a_buyer(provider: str, ending: int) -> Buyer:
    return Buyer(provider, 24_900 + ending)


def takes_silently(provider: str, ending: int) -> bool:
    """Mastercard's answer to the capture is lost where the time-out is imitated."""
    return provider == "mastercard" and ending == 58


class TestTable:
    def test_the_endings_are_those_of_the_contract(self):
        assert sorted(MAGIC) == list(range(51, 63))
        assert [magic_of(minor) for minor in (24_950, 24_963, 100, 0)] == [PAID] * 4
        assert magic_of(51) is magic_of(100_051) is MAGIC[51]

    def test_every_magic_is_told_in_three_languages_and_in_the_readmes_rows(self):
        rows = table_rows().splitlines()
        assert len(rows) == len(MAGIC) + 1
        for (ending, magic), row in zip(sorted(MAGIC.items()), rows, strict=False):
            assert row == f"| `.{ending}` | {magic.en} |"
            assert len({magic.en, magic.fr, magic.ar}) == 3
            assert magic.fr
            assert any("؀" <= letter <= "ۿ" for letter in magic.ar)
        assert len({magic.name for magic in MAGIC.values()}) == len(MAGIC)


class TestBooks:
    @every_amount
    @every_provider
    def test_a_payment_ends_as_the_table_says(self, provider, ending):
        # When the buyer pays, and the platform takes the money where that is its part
        buyer = a_buyer(provider, ending)
        if takes_silently(provider, ending):
            with pytest.raises(OutcomeUnknown):
                buyer.pay()
        else:
            buyer.pay()
        # Then the books say who has the money
        state, captured = State.CAPTURED, buyer.minor
        if ending == 51:
            state, captured = State.FAILED, 0
        elif ending == 56:
            captured = buyer.minor - 100
        elif ending == 57 and provider == "mastercard":
            state, captured = State.AUTHORIZED, 0  # The platform captures dirhams, or nothing.
        told = buyer.charge.view()
        assert (told["state"], told["captured_minor"]) == (state, captured)
        assert told["dispute"] == ("opened" if ending in (60, 61) else None)
        assert (told["refunded_minor"], told["charged_back_minor"]) == (0, 0)

    @every_provider
    def test_a_refusal_before_the_payment_is_a_try_of_its_own(self, provider):
        buyer = a_buyer(provider, 52)
        buyer.pay()
        refused, paid = buyer.charge.tries
        assert (refused.state, paid.state) == (State.FAILED, State.CAPTURED)
        assert refused.provider_reference != paid.provider_reference

    @every_provider
    def test_another_currency_is_what_the_books_and_the_callback_say(self, provider):
        buyer = a_buyer(provider, 57)
        buyer.pay()
        (paid,) = buyer.charge.tries
        assert paid.currency == "EUR"


class TestSent:
    @every_amount
    @every_provider
    def test_what_is_sent_is_what_the_table_says(self, provider, ending):
        buyer = a_buyer(provider, ending)
        buyer.press()
        paid, refused = ("paid", buyer.minor, "MAD"), ("refused", buyer.minor, "MAD")
        expected = {
            51: [refused],
            52: [refused, paid],
            54: [paid] * 3,
            56: [("paid", buyer.minor - 100, "MAD")],
            57: [("paid", buyer.minor, "EUR")],
            58: [],
        }
        assert buyer.said("paid", "refused") == expected.get(ending, [paid])

    @pytest.mark.parametrize("ending", [60, 61])
    @every_provider
    def test_a_dispute_is_told_by_those_who_tell_disputes(self, provider, ending):
        buyer = a_buyer(provider, ending)
        buyer.pay()
        assert buyer.charge.dispute == "opened"
        disputes = buyer.said("dispute", "dispute opened")
        kind = {"wallet": "dispute opened", "mastercard": "dispute"}.get(provider)
        assert disputes == ([(kind, buyer.minor, "MAD")] if kind else [])

    @every_provider
    def test_three_times_the_same_is_the_same_to_the_byte(self, provider):
        buyer = a_buyer(provider, 54)
        buyer.press()
        last = buyer.platform.bodies[-3:]
        assert last == [last[0]] * 3
        if provider == "mastercard":
            headers = [dict(each.headers) for each in buyer.bank.sent[-3:]]
            assert [each["X-Notification-Attempt"] for each in headers] == ["1", "2", "3"]
            assert len({each["X-Notification-Id"] for each in headers}) == 1

    def test_mastercard_notifies_more_than_once_of_a_paid_order(self):
        buyer = a_buyer("mastercard", 0)
        buyer.pay()
        kinds = [said[0] for said in buyer.platform.said]
        assert kinds == ["authentication", "paid", "capture"]
        ids = {dict(each.headers)["X-Notification-Id"] for each in buyer.bank.sent}
        assert len(ids) == 3


class TestTime:
    @every_provider
    def test_an_hour_passes_and_is_swept_before_the_buyer_pays(self, provider):
        buyer = a_buyer(provider, 55)
        buyer.press()
        ((passed, state),) = buyer.drained
        assert timedelta(hours=1) <= passed < timedelta(hours=1, minutes=1)
        assert state is State.PENDING
        assert buyer.said("paid") == [("paid", buyer.minor, "MAD")]

    @every_provider
    def test_otherwise_no_time_passes(self, provider):
        for ending in set(ENDINGS) - {55}:
            buyer = a_buyer(provider, ending)
            buyer.press()
            assert buyer.drained == []


class TestAsking:
    @every_provider
    def test_the_callback_comes_first_and_the_api_says_pending_twice_more(self, provider):
        buyer = a_buyer(provider, 53)
        buyer.press()
        assert buyer.said("paid") == [("paid", buyer.minor, "MAD")]
        asked = [buyer.report().state for _ in range(4)]
        known = ReportState.AUTHORIZED if provider == "mastercard" else ReportState.CAPTURED
        assert asked == [ReportState.PENDING, ReportState.PENDING, known, known]

    @pytest.mark.parametrize("provider", ["cmi", "payzone", "wallet"])
    def test_money_that_nobody_told_of_is_learned_by_asking(self, provider):
        buyer = a_buyer(provider, 58)
        buyer.press()
        assert buyer.bank.sent == []
        report = buyer.report()
        assert (report.state, report.amount) == (ReportState.CAPTURED, Money(buyer.minor))

    def test_mastercards_capture_is_done_once_though_its_answer_is_lost(self):
        # Given an order that was paid without a word
        buyer = a_buyer("mastercard", 58)
        buyer.press()
        assert buyer.report().state is ReportState.AUTHORIZED
        # When it is captured, and captured again because no answer came
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                capture(buyer.bank, REFERENCE, buyer.minor)
        # Then whoever asks learns that it was done, once, and the stored answer is given from then
        report = buyer.report()
        assert (report.state, report.amount) == (ReportState.CAPTURED, Money(buyer.minor))
        again = capture(buyer.bank, REFERENCE, buyer.minor)
        assert again is not None
        assert again.state is RefundState.DONE
        assert buyer.charge.view()["captured_minor"] == buyer.minor
        assert buyer.bank.deliver() == []

    @pytest.mark.parametrize("ending", [51, 56, 57])
    @every_provider
    def test_what_the_api_says_is_what_the_callback_said(self, provider, ending):
        buyer = a_buyer(provider, ending)
        buyer.press()
        report = buyer.report()
        if ending == 51:
            assert report.state is ReportState.FAILED
        elif provider != "cmi" or ending != 57:  # CMI's status has no currency.
            ((_, minor, currency),) = buyer.said("paid")
            assert report.amount == Money(minor, currency)

    @every_provider
    def test_a_payment_that_nobody_came_to_pay_is_not_known(self, provider):
        assert a_buyer(provider, 0).report().state is ReportState.ABSENT


class TestCmisAnswer:
    @pytest.mark.parametrize("answer", [cmi.ACKNOWLEDGE, cmi.FAILURE, "", "ACTION=POSTAUTH;"])
    def test_money_is_only_reserved_unless_the_answer_asks_for_it(self, answer):
        buyer = a_buyer("cmi", 0)
        buyer.platform.cmi_answer = answer
        buyer.press()
        assert buyer.charge.state is State.AUTHORIZED
        assert buyer.report().state is ReportState.AUTHORIZED

    def test_it_is_taken_once_however_often_it_is_asked_for(self):
        buyer = a_buyer("cmi", 54)
        buyer.press()
        assert buyer.charge.view()["captured_minor"] == buyer.minor
