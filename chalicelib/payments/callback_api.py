"""The providers' callbacks: verified on the raw bytes, kept once, answered in their own words."""

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import standard_webhooks
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call, read_json
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.observability import count
from chalicelib.edge.replies import Reply
from chalicelib.payments import link_sales, service
from chalicelib.payments.domain import BadSignature, Provider
from chalicelib.payments.providers import cmi, mastercard, payzone, wallet

callbacks = FeatureBlueprint(__name__)
FORM = ("application/x-www-form-urlencoded",)
MAX_CALLBACK_BYTES = 64 * 1024
PAYZONE_OK, PAYZONE_KO = '{"status":"OK"}', '{"status":"KO"}'


@callbacks.route(
    "/v1/payments/callbacks/cmi",
    method="POST",
    access=Access.PROVIDER,
    answer_media="text/plain",
    media=FORM,
    key=KeyUse.NONE,
    max_bytes=MAX_CALLBACK_BYTES,
    failure_text=cmi.FAILURE,
    summary="CMI's callback; the answer is the capture decision",
)
def receive_cmi(call: Call[None, None]) -> Reply:
    fields = cmi.read_callback(call.raw_body, active_secrets(Provider.CMI))
    if fields is None:
        raise _forged("cmi")
    event = cmi.event_from(fields)
    answer = service.decide_cmi(event, call.raw_body, fields.get("clientid", ""))
    return Reply(answer, content_type="text/plain")


@callbacks.route(
    "/v1/payments/callbacks/mastercard",
    method="POST",
    access=Access.PROVIDER,
    key=KeyUse.NONE,
    max_bytes=MAX_CALLBACK_BYTES,
    media=("*/*",),
    answer_media="text/plain",
    summary="Mastercard Gateway's notification; the order is then retrieved from the gateway",
)
def receive_mastercard(call: Call[None, None]) -> Reply:
    secrets = active_secrets(Provider.MASTERCARD)
    event = mastercard.read_notification(call.raw_body, call.headers, secrets)
    if event is None:
        raise _forged("mastercard")
    service.receive_callback(event, call.raw_body)
    return Reply("", content_type="text/plain")


@callbacks.route(
    "/v1/payments/callbacks/payzone",
    method="POST",
    access=Access.PROVIDER,
    key=KeyUse.NONE,
    max_bytes=MAX_CALLBACK_BYTES,
    failure_text=PAYZONE_KO,
    summary="Payzone's callback, signed over the raw body",
)
def receive_payzone(call: Call[None, None]) -> Reply:
    secrets = active_secrets(Provider.PAYZONE)
    event = payzone.read_callback(call.raw_body, call.headers, secrets)
    if event is None:
        raise _forged("payzone")
    service.receive_callback(event, call.raw_body)
    return Reply(PAYZONE_OK)


@callbacks.route(
    "/v1/payments/callbacks/wallet",
    method="POST",
    access=Access.PROVIDER,
    status=204,
    key=KeyUse.NONE,
    max_bytes=MAX_CALLBACK_BYTES,
    summary="The wallet's and vouchers' callback, and results of payouts (Standard Webhooks)",
)
def receive_wallet(call: Call[None, None]) -> Reply:
    secrets = active_secrets(Provider.WALLET)
    now = clock.outside_now()
    if not standard_webhooks.is_genuine(secrets, call.headers, call.raw_body, now):
        raise _forged("wallet")
    event = wallet.event_from(read_json(wallet.WalletEvent, call.raw_body), call.headers)
    service.receive_callback(link_sales.of_its_payment(event), call.raw_body)
    return Reply("", status=204)


def active_secrets(provider: Provider) -> tuple[str, str]:
    """The secret that signs, and the one before it: empty but while a secret is exchanged."""
    given = settings()
    match provider:
        case Provider.CMI:
            return given.cmi_store_key, given.cmi_store_key_previous
        case Provider.MASTERCARD:
            secret = given.mastercard_notification_secret
            return secret, given.mastercard_notification_secret_previous
        case Provider.PAYZONE:
            return given.payzone_notification_key, given.payzone_notification_key_previous
        case Provider.WALLET:
            return given.wallet_secret, given.wallet_secret_previous


def _forged(provider: str) -> BadSignature:
    count("ForgedCallback", provider=provider)
    return BadSignature("sign the raw body with the active secret")
