"""What the local stack is told (by its command line and environment) and what it tells the app."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REGION = "eu-west-3"
ACCOUNT = "123456789012"
NAME_PREFIX = "maalem-local-"
DEFAULT_PORT = 8000


class CannotStart(Exception):
    """Why the local stack cannot start, in one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """What whoever starts the local stack decides."""

    port: int = DEFAULT_PORT
    on_dynamodb_local: bool = False
    data_folder: Path = Path(".local")
    with_demo: bool = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def read_settings(port: str | None, environ: Mapping[str, str]) -> LocalSettings:
    """The settings from the command line's port and the environment.

    Raises:
        CannotStart: a setting is wrong.
    """
    return LocalSettings(
        port=_port(port if port is not None else environ.get("PORT") or str(DEFAULT_PORT)),
        on_dynamodb_local=_database(environ.get("DYNAMODB", "")) == "local",
        data_folder=Path(environ.get("MAALEM_LOCAL_DATA") or ".local"),
        with_demo=_yes_or_no("MAALEM_DEMO", environ.get("MAALEM_DEMO") or "1"),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= 65535:
        raise CannotStart(f"PORT is {text!r}: give a number from 1 to 65535, such as PORT=8000.")
    return int(text)


def _database(text: str) -> str:
    if text not in ("", "moto", "local"):
        raise CannotStart(
            f"DYNAMODB is {text!r}: leave it out for moto, or set DYNAMODB=local"
            " for Amazon's DynamoDB Local."
        )
    return text


def _yes_or_no(name: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise CannotStart(f"{name} is {text!r}: set it to 1 or 0.")
    return text == "1"


def set_aws_environment() -> None:
    """Fake credentials and a fixed region, whatever the machine's own AWS settings are."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",
        AWS_DEFAULT_REGION=REGION,
        AWS_REGION=REGION,
        # Otherwise botocore calls https://{account}.streams-ddb..., which moto does not know.
        AWS_ACCOUNT_ID_ENDPOINT_MODE="disabled",
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    )
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL"):
        os.environ.pop(name, None)


def set_app_environment(url: str) -> None:
    """The variables that Lambda would have, for a platform that is reached at `url`."""
    os.environ.update(
        MAALEM_STAGE="local",
        MAALEM_REGION=REGION,
        MAALEM_TABLE_PREFIX=NAME_PREFIX,
        MAALEM_QUEUE_URL_PREFIX=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{NAME_PREFIX}",
        MAALEM_BUCKET=f"{NAME_PREFIX}files",
        MAALEM_PARTIAL_BATCH="1",  # The pump deletes only what is not in batchItemFailures.
        MAALEM_PUBLIC_URL=url,
        MAALEM_STOREFRONT_URL=url,
        MAALEM_CMI_GATEWAY_URL=f"{url}/_local/pay/cmi",
        MAALEM_CMI_API_URL=f"{url}/_local/bank/cmi/api",
        MAALEM_MASTERCARD_GATEWAY_URL=f"{url}/_local/bank/mastercard",
        MAALEM_PAYZONE_PAYWALL_URL=f"{url}/_local/bank/payzone/paywall",
        MAALEM_PAYZONE_API_URL=f"{url}/_local/bank/payzone/api/v3",
        MAALEM_WALLET_URL=f"{url}/_local/pay",
        MAALEM_WALLET_API_URL=f"{url}/_local/bank/wallet/api",
    )
    # A demo, a test or a measurement is one caller: no limit of theirs, but one that can be seen.
    os.environ.setdefault("MAALEM_RATE_LIMIT_SCALE_PERCENT", "100000")
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
    os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "maalem")


def set_token_environment(issuer: str, audience: str, jwks: str) -> None:
    """How the app knows the tokens of the local user pool."""
    os.environ.update(MAALEM_TOKEN_ISSUER=issuer, MAALEM_TOKEN_AUDIENCE=audience, MAALEM_JWKS=jwks)
