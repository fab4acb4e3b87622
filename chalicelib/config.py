"""Settings of a running process. The only reader of the environment."""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment decides. Every field has its variable `MAALEM_<NAME>`."""

    stage: str = "local"
    version: str = "dev"
    mode: str = "normal"
    region: str = "eu-west-3"
    table_prefix: str = "maalem-local-"
    queue_url_prefix: str = "https://sqs.eu-west-3.amazonaws.com/123456789012/maalem-local-"
    bucket: str = "maalem-local-files"
    partial_batch: bool = False

    public_url: str = "http://127.0.0.1:8000"
    storefront_url: str = "http://127.0.0.1:8000"
    token_issuer: str = ""
    token_audience: str = ""
    jwks: str = ""
    jwks_url: str = ""

    signing_secret: str = "local-signing-secret-of-32-bytes"
    sealing_key: str = "bG9jYWwtc2VhbGluZy1rZXktb2YtMzItYnl0ZXMhISE="

    cmi_client_id: str = "600000000"
    cmi_store_key: str = "TEST1234"
    cmi_store_key_previous: str = ""
    cmi_gateway_url: str = "https://testpayment.cmi.co.ma/fim/est3Dgate"
    cmi_api_url: str = "https://testpayment.cmi.co.ma/fim/api"
    cmi_api_user: str = "local-api-user"
    cmi_api_password: str = "local-cmi-api-password"
    wallet_secret: str = "whsec_TG9jYWxXYWxsZXRTZWNyZXRGb3JUZXN0czAxMjM0NTY3"
    wallet_secret_previous: str = ""
    wallet_url: str = "https://wallet.example.ma"
    wallet_api_url: str = "https://wallet.example.ma/api"
    wallet_api_key: str = "local-wallet-api-key"
    mastercard_gateway_url: str = "https://test-gateway.mastercard.com"
    mastercard_merchant_id: str = "MAALEM"
    mastercard_password: str = "local-mpgs-api-password"
    mastercard_notification_secret: str = "local-mpgs-notification-secret-01"
    mastercard_notification_secret_previous: str = ""
    payzone_paywall_url: str = "https://payzone.example.ma/paywall"
    payzone_api_url: str = "https://payzone.example.ma/api/v3"
    payzone_merchant_account: str = "maalem-test"
    payzone_caller_name: str = "maalem-test-api"
    payzone_caller_password: str = "local-payzone-caller-password-01"
    payzone_paywall_secret: str = "local-payzone-paywall-secret-0001"
    payzone_notification_key: str = "local-payzone-notification-key-01"
    payzone_notification_key_previous: str = ""

    commission_bp: int = 1000
    commission_in_person_bp: int = 500
    fee_estimate_bp: int = 175
    vat_on_commission_bp: int = 2000
    release_hold_days: int = 14
    recovery_limit_bp_per_payout: int = 5_000
    write_off_four_eyes_minor: int = 100_000
    settlement_days: str = "cmi=3,mastercard=3,payzone=3,wallet=2"
    fee_tolerance_minor: int = 100
    write_off_limit_minor: int = 10_000
    max_open_orders_per_buyer: int = 20
    rate_limit_scale_percent: int = 100
    payout_minimum_minor: int = 1_000
    payout_four_eyes_minor: int = 5_000_000
    payout_bank_minimum_minor: int = 0
    payout_wallet_level: int = 3
    payout_instant_cap_minor: int = 2_000_000
    payout_instant_code: str = ""
    payout_lines_per_block: int = 1_000
    payout_schedule: str = ""
    debtor_rib: str = "001810007800020110620318"


LOCAL_STAGES = ("local", "test")
NO_DEFAULT_ON_AWS = (
    "table_prefix",
    "queue_url_prefix",
    "bucket",
    "public_url",
    "token_issuer",
    "token_audience",
    "signing_secret",
    "sealing_key",
    "cmi_client_id",
    "cmi_store_key",
    "cmi_api_password",
    "wallet_secret",
    "wallet_api_key",
    "mastercard_password",
    "mastercard_notification_secret",
    "payzone_caller_password",
    "payzone_paywall_secret",
    "payzone_notification_key",
)


class MissingSetting(RuntimeError):
    """A deployed stage lacks a setting whose local value is public knowledge."""


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        MissingSetting: outside the local stages, a variable of NO_DEFAULT_ON_AWS is not set.
    """
    given = {
        name: _parsed(os.environ[f"MAALEM_{name.upper()}"], field.type)
        for name, field in Settings.__dataclass_fields__.items()
        if f"MAALEM_{name.upper()}" in os.environ
    }
    if given.get("stage", "local") not in LOCAL_STAGES:
        missing = [name for name in NO_DEFAULT_ON_AWS if not given.get(name)]
        if missing:
            names = ", ".join(f"MAALEM_{name.upper()}" for name in missing)
            raise MissingSetting(f"set {names}: a deployed stage never uses the local values")
    return Settings(**given)


def _parsed(text: str, kind: object) -> Any:
    if kind is bool or kind == "bool":
        return text not in ("", "0", "false")
    if kind is int or kind == "int":
        return int(text)
    return text
