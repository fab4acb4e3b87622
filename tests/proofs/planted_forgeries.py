"""Defects planted into how callbacks are verified, known again and believed; and their proofs."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.edge import calls, outbound, standard_webhooks
from chalicelib.payments import callback_api, inquiries, service
from chalicelib.payments.providers import answers, cmi, mastercard, payzone, wallet
from infra.local.aws import LocalAws
from infra.local.payments import find_due
from infra.local.pump import Pump
from tests.aws import Api
from tests.factories.bank import InProcessBank
from tests.proofs import test_callbacks_forged as forged
from tests.proofs import test_callbacks_genuine as genuine
from tests.proofs.defect import Defect
from tests.proofs.forgeries import PROVIDERS, open_for

Proof = Callable[[LocalAws, Api], Any]


def _corpus(test: Callable[[Api], None]) -> Proof:
    def proof(aws: LocalAws, api: Api) -> None:
        open_for(*PROVIDERS)
        test(api)

    return proof


def _with_bank(provider: str, test: Callable[[Api, Pump, InProcessBank], None]) -> Proof:
    """A shop with one order, and a bank that tells nothing by itself."""

    def proof(aws: LocalAws, api: Api) -> None:
        from app import app

        bank = InProcessBank(find=find_due)
        outbound.set_transport(bank.carry)
        open_for(provider)
        test(api, Pump(app, aws), bank)

    return proof


def _again(provider: str) -> Proof:
    proof = genuine.test_P7_the_same_event_again_is_answered_the_same_and_has_no_second_effect
    return _with_bank(provider, lambda api, pump, bank: proof(api, pump, bank, provider))


def _not_believed(name: str) -> Proof:
    def test(api: Api, pump: Pump, bank: InProcessBank) -> None:
        notifications = genuine.TestNotificationsAreNotBelieved()
        notifications.api, notifications.pump, notifications.bank = api, pump, bank
        getattr(notifications, name)()

    return _with_bank("mastercard", test)


def _exchanged(provider: str) -> Proof:
    def proof(aws: LocalAws, api: Api) -> None:
        open_for(provider)
        with pytest.MonkeyPatch.context() as patch:
            exchange = genuine.TestRotation.exchange.__wrapped__(None, patch)  # type: ignore[attr-defined]
            genuine.TestRotation().test_the_one_before_and_the_new_one_are_good(
                api, exchange, provider
            )

    return proof


def _size(aws: LocalAws, api: Api) -> None:
    for provider in PROVIDERS:
        forged.TestSize().test_P16_one_byte_more_is_refused_signed_or_not(api, provider)


CMI = _corpus(forged.test_P16_forged_cmi_callbacks_change_nothing)
MASTERCARD = _corpus(forged.test_P16_forged_mastercard_notifications_change_nothing)
PAYZONE = _corpus(forged.test_P16_forged_payzone_callbacks_change_nothing)
WALLET = _corpus(forged.test_P16_forged_wallet_callbacks_change_nothing)
UNPAID = _not_believed("test_P16_while_the_bank_knows_of_no_money_nothing_is_paid")
_NOTIFIED = """kind=EventKind.NOTIFIED,
        reference=text_at(_order_in(body), "id")[:64] or "none",
        provider_reference="",
        amount=None,"""
_BELIEVED = """kind=EventKind.SUCCEEDED,
        reference=text_at(_order_in(body), "id")[:64] or "none",
        provider_reference="",
        amount=money_from(text_at(_order_in(body), "amount"), "MAD"),"""

DEFECTS = [
    # Secrets
    Defect("any secret is Mastercard's", mastercard.read_notification,
           'not is_one_of(headers.get("x-notification-secret", ""), secrets)', "False", MASTERCARD),
    Defect("an empty secret is Mastercard's", answers.is_one_of, " if each]", "]", MASTERCARD),
    Defect("secrets are compared in any case", answers.is_one_of,
           "hmac.compare_digest(sent, each.encode())", "sent.lower() == each.encode().lower()",
           MASTERCARD),
    Defect("a secret with something behind it is one", answers.is_one_of,
           "hmac.compare_digest(sent, each.encode())", "sent.startswith(each.encode())",
           MASTERCARD),
    Defect("half of a secret is one", answers.is_one_of,
           "hmac.compare_digest(sent, each.encode())", "bool(sent) and sent in each.encode()",
           MASTERCARD),
    Defect("an empty key is CMI's", cmi.read_callback, "        if key\n", "", CMI),
    Defect("an empty key is Payzone's", payzone.read_callback, " if key]", "]", PAYZONE),
    Defect("an empty key is the wallet's", standard_webhooks.is_genuine,
           ">= MIN_KEY_BYTES", ">= 0", WALLET),
    *(
        Defect(f"the previous secret of {provider} is forgotten", callback_api.active_secrets,
               piece, instead, _exchanged(provider))
        for provider, piece, instead in [
            ("cmi", "given.cmi_store_key_previous", '""'),
            ("mastercard", "given.mastercard_notification_secret_previous", '""'),
            ("payzone", "given.payzone_notification_key_previous", '""'),
            ("wallet", "given.wallet_secret_previous", '""'),
        ]
    ),
    # Signatures
    Defect("Payzone's signature is ignored", payzone.read_callback,
           'not is_one_of(headers.get("x-callback-signature", "").lower(), expected)', "False",
           PAYZONE),
    Defect("Payzone's JSON is written again", payzone.callback_signature,
           "raw_body,", "json.dumps(json.loads(raw_body), separators=(',', ':')).encode(),",
           PAYZONE),
    Defect("Payzone hashes without a key", payzone.callback_signature,
           'hmac.digest(notification_key.encode(), raw_body, "sha256").hex()',
           "hashlib.sha256(raw_body).hexdigest()", PAYZONE),
    Defect("any version of a signature will do", standard_webhooks.is_genuine,
           "one.encode(), _bytes_of(other)", 'one[3:].encode(), _bytes_of(other.partition(",")[2])',
           WALLET),
    Defect("as many signatures as one likes", standard_webhooks.is_genuine, "[:8]", "", WALLET),
    Defect("times to come are no harm", standard_webhooks.is_genuine, "abs(int(now.timestamp())",
           "(int(now.timestamp())", WALLET),
    Defect("any digits are a time", standard_webhooks.is_genuine, "timestamp.isascii() and ", "",
           WALLET),
    Defect("CMI's names are sorted as letters", cmi.ver3_hash, "key=_natural", "key=str.lower",
           CMI),
    Defect("CMI's bars are not escaped", cmi._escaped,
           r'value.replace("\\", "\\\\").replace("|", "\\|")', "value", CMI),
    Defect("CMI's pair is believed", cmi.read_callback, "ver3_hash(decoded, key).encode()",
           "(base64.b64encode(hashlib.sha512((decoded['HASHPARAMSVAL'] + key).encode()).digest())"
           " if 'HASHPARAMSVAL' in decoded else ver3_hash(decoded, key).encode())", CMI),
    Defect("two hashes are one", cmi.read_callback, "len(given) != 1", "not given", CMI),
    Defect("a digit of any script is a number", cmi._part,
           "text[0] not in digits", "not text.isdigit() or int(text) < 0", CMI),
    # Sizes and metrics
    Defect("there is no limit of size", calls._read, "> operation.max_bytes", "> 10**9", _size),
    Defect("forgeries are not counted", callback_api._forged,
           'count("ForgedCallback", provider=provider)', "pass", CMI),
    # The same event again
    Defect("CMI's event is known by all that was posted", cmi.event_from,
           "fields['HASH'].encode()", "str(sorted(fields.items())).encode()", _again("cmi")),
    Defect("Mastercard's event is another at each attempt", mastercard.read_notification,
           'headers.get("x-notification-id", "")', 'headers.get("x-notification-attempt", "")',
           _again("mastercard")),
    Defect("Payzone's event is known by its signature", payzone.read_callback,
           "hashlib.sha256(raw_body).hexdigest()", "headers['x-callback-signature']",
           _again("payzone")),
    Defect("the wallet's event is another each time", wallet.event_from,
           'key=f"wallet#{event_id}"', "key=f\"wallet#{event_id}{headers['webhook-timestamp']}\"",
           _again("wallet")),
    # Belief
    Defect("a notification is believed", mastercard.read_notification, _NOTIFIED, _BELIEVED,
           UNPAID),
    Defect("one provider is asked because of another", inquiries.ask_about,
           "because_of not in (None, found.provider)", "False",
           _not_believed("test_P16_about_a_payment_at_another_provider_nobody_is_asked")),
    Defect("money that does not fit is debited when it comes again", service._unapplied,
           'Verdict.UNAPPLIED, f"known: {reason}"', 'Verdict.REPEATED, f"known: {reason}"',
           lambda aws, api:
           genuine.test_money_that_does_not_fit_is_not_debited_when_cmi_sends_it_again(api)),
]  # fmt: skip
