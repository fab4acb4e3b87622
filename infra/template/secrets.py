"""Secrets: made with random values by the stack, read into each function when it is deployed.

Our own secrets keep the value they were born with. A provider's secret is born random too, so that
an unset one accepts nobody; the operator then puts the provider's value in its place and deploys
again. CloudFormation resolves the reference when it updates the function, so a new value reaches
Lambda with the next `make deploy`, which is told so by `--secrets-revision`.
"""

from dataclasses import dataclass
from typing import Any

from infra.template.names import logical


@dataclass(frozen=True, slots=True)
class Secret:
    setting: str
    purpose: str
    length: int = 44
    """44 letters and digits are also valid base64, as a Standard Webhooks secret must be."""
    suffix: str = ""
    """Put behind the value: `=` makes 43 characters the base64 of 32 bytes."""


SECRETS = (
    Secret("signing_secret", "signs cursors, quotes, tickets and order tokens; keys the order ids"),
    Secret("sealing_key", "seals account numbers at rest; base64 of 32 bytes", 43, "="),
    Secret("cmi_store_key", "CMI's store key; from the CMI back office"),
    Secret("cmi_store_key_previous", "CMI's store key before the last change"),
    Secret("cmi_api_password", "the password of our user of CMI's API"),
    Secret("wallet_secret", "the wallet's webhook secret, whsec_ and base64"),
    Secret("wallet_secret_previous", "the wallet's webhook secret before the last change"),
    Secret("wallet_api_key", "our key to the wallet's API"),
    Secret("mastercard_password", "the API password at the Mastercard Gateway"),
    Secret("mastercard_notification_secret", "Mastercard Gateway's notification secret"),
    Secret("mastercard_notification_secret_previous", "the one before the last change"),
    Secret("payzone_paywall_secret", "signs what buyers take to Payzone's payment page"),
    Secret("payzone_notification_key", "Payzone signs its callbacks with it"),
    Secret("payzone_notification_key_previous", "the one before the last change"),
    Secret("payzone_caller_password", "the password of our user of Payzone's API"),
)


def secret_resources(stage: str) -> dict[str, Any]:
    return {
        secret_id(secret): {
            "Type": "AWS::SecretsManager::Secret",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "Name": f"maalem/{stage}/{secret.setting}",
                "Description": secret.purpose,
                "GenerateSecretString": {
                    "PasswordLength": secret.length,
                    "ExcludePunctuation": True,
                    "IncludeSpace": False,
                },
            },
        }
        for secret in SECRETS
    }


def secret_environment() -> dict[str, Any]:
    """`MAALEM_…` variables as dynamic references; `Fn::Sub` makes each wait for its secret."""
    return {f"MAALEM_{secret.setting.upper()}": _reference(secret) for secret in SECRETS}


def _reference(secret: Secret) -> dict[str, str]:
    address = f"resolve:secretsmanager:${{{secret_id(secret)}}}:SecretString"
    return {"Fn::Sub": f"{{{{{address}}}}}{secret.suffix}"}


def secret_id(secret: Secret) -> str:
    """`signing_secret` is `SigningSecret`, `cmi_store_key` is `CmiStoreKeySecret`."""
    return logical(secret.setting.removesuffix("_secret"), "secret")
