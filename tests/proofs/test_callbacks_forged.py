"""P16: a callback that its provider did not sign changes nothing and leaves nothing behind."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations

import pytest

from chalicelib.config import settings
from chalicelib.payments.callback_api import MAX_CALLBACK_BYTES
from chalicelib.payments.providers import payzone
from tests.aws import Api
from tests.factories.callbacks import JSON, Sent, cmi_said, genuine, post
from tests.factories.payments import FORM, wallet_headers
from tests.proofs import forgeries_cmi, forgeries_json
from tests.proofs.forgeries import (
    KNOWN,
    OK,
    PROVIDERS,
    UNKNOWN,
    Corpus,
    Forge,
    altered_at,
    check_all_refused,
    check_refused,
    open_for,
    with_body,
    with_header,
    with_headers,
    without_request_id,
)

Headers = Mapping[str, str]
each_provider = pytest.mark.parametrize("provider", PROVIDERS)


@pytest.fixture
def shop_api(api: Api) -> Api:
    open_for(*PROVIDERS)
    return api


def check_corpus(api: Api, provider: str, corpus: Corpus) -> None:
    """Each forgery does nothing, and what they were made from is genuine."""
    made = [forge(KNOWN[provider]) for forge in corpus.values()]
    assert len({(sent.body, repr(sent.headers), sent.query) for sent in made}) >= 60
    check_all_refused(api, provider, corpus, KNOWN[provider])
    answered = post(api, provider, genuine(provider, KNOWN[provider]))
    assert (answered.status, answered.text) == OK[provider]


def test_P16_forged_cmi_callbacks_change_nothing(shop_api: Api) -> None:
    check_corpus(shop_api, "cmi", forgeries_cmi.CORPUS)


def test_P16_forged_mastercard_notifications_change_nothing(shop_api: Api) -> None:
    check_corpus(shop_api, "mastercard", forgeries_json.MASTERCARD)


def test_P16_forged_payzone_callbacks_change_nothing(shop_api: Api) -> None:
    check_corpus(shop_api, "payzone", forgeries_json.PAYZONE)


def test_P16_forged_wallet_callbacks_change_nothing(shop_api: Api) -> None:
    check_corpus(shop_api, "wallet", forgeries_json.WALLET)


def test_P16_each_single_character_of_a_signed_value_counts(shop_api: Api) -> None:
    for name, value in cmi_said(KNOWN["cmi"]).items():
        if name == "encoding":
            continue  # The one field that CMI does not sign.
        for position, letter in enumerate(value):
            changed = value[:position] + chr(ord(letter) ^ 1) + value[position + 1 :]
            if changed.strip() != value.strip():  # CMI trims, and so do we.
                forge = forgeries_cmi.changed(**{name: changed})
                check_refused(shop_api, "cmi", forge, (KNOWN["cmi"],))


@pytest.mark.parametrize("provider", ["payzone", "wallet"])
def test_P16_each_single_byte_of_a_signed_body_counts(shop_api: Api, provider: str) -> None:
    def flipped(at: int) -> Forge:
        return with_body(provider, lambda b: b[:at] + bytes([b[at] ^ 1]) + b[at + 1 :])

    for position in range(len(genuine(provider, KNOWN[provider]).body)):
        check_refused(shop_api, provider, flipped(position), (KNOWN[provider],))


@pytest.mark.parametrize(
    ("provider", "header"), [("payzone", "x-callback-signature"), ("wallet", "webhook-signature")]
)
def test_P16_each_character_of_a_signature_counts(
    shop_api: Api, provider: str, header: str
) -> None:
    def altered(at: int) -> Forge:
        return with_header(provider, header, lambda good: altered_at(good, at))

    headers = {name.lower(): text for name, text in genuine(provider, UNKNOWN).headers.items()}
    for position in range(len(headers[header])):
        check_refused(shop_api, provider, altered(position), (KNOWN[provider],))


def test_P16_a_signature_for_one_provider_opens_no_other(shop_api: Api) -> None:
    for signer, provider in permutations(PROVIDERS, 2):
        media = FORM if provider == "cmi" else JSON

        def forge(reference: str, signer: str = signer, media: Headers = media) -> Sent:
            sent = genuine(signer, reference)
            return replace(sent, headers={**sent.headers, **media})

        check_refused(shop_api, provider, forge, (KNOWN[signer], KNOWN[provider], UNKNOWN))


@pytest.mark.parametrize("provider", ["cmi", "payzone", "wallet"])
def test_P16_what_is_of_another_kind_is_not_read(shop_api: Api, provider: str) -> None:
    for media in ("text/plain", "multipart/form-data; boundary=x", "application/xml", ""):
        forge = with_headers(provider, content_type=media)
        check_refused(shop_api, provider, forge, (KNOWN[provider], UNKNOWN), status=415)


def test_P16_an_id_that_ends_in_a_time_cannot_be_divided_elsewhere(shop_api: Api) -> None:
    references = (KNOWN["wallet"], UNKNOWN)
    check_refused(shop_api, "wallet", forgeries_json.divided_elsewhere, references, status=400)


class TestSize:
    """64 KB, and not a byte more: what is larger is refused before anything is verified."""

    def filled(self, provider: str, size: int) -> Sent:
        """A genuine callback of exactly this many bytes, about nothing that is known."""
        sent = genuine(provider, UNKNOWN)
        blank = b"+" if provider == "cmi" else b" "  # which CMI's hash, its last field, may have
        body = sent.body + blank * (size - len(sent.body))
        if provider in ("cmi", "mastercard"):
            return replace(sent, body=body)
        if provider == "wallet":
            return Sent(body, wallet_headers(body))
        key = settings().payzone_notification_key
        return Sent(body, JSON | {"X-Callback-Signature": payzone.callback_signature(body, key)})

    @each_provider
    def test_as_much_as_is_allowed_is_read(self, shop_api: Api, provider: str) -> None:
        sent = self.filled(provider, MAX_CALLBACK_BYTES)
        assert len(sent.body) == MAX_CALLBACK_BYTES == 65_536
        assert post(shop_api, provider, sent).status == OK[provider][0]

    @each_provider
    def test_P16_one_byte_more_is_refused_signed_or_not(self, shop_api: Api, provider: str) -> None:
        sent = self.filled(provider, MAX_CALLBACK_BYTES + 1)
        media = FORM if provider == "cmi" else JSON
        answers = set()
        for each in (sent, replace(sent, headers=media), Sent(b"x" * 10**6, media)):
            check_refused(shop_api, provider, lambda _, each=each: each, ("",), status=413)
            answers.add(without_request_id(post(shop_api, provider, each)))
        assert len(answers) == 1
