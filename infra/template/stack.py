"""One stage's resources, put together; functions, API and their alarms are added by the build."""

from typing import Any

from chalicelib.edge.queues import QUEUES
from infra.template import alarms, bucket, identity, queues, secrets, tables
from infra.template.names import STAGES, prefix, ref

PARAMETERS = {
    "PublicUrl": "where the API is reached, https and no slash at the end",
    "StorefrontUrl": "where a buyer returns to after paying",
    "CmiClientId": "the merchant number at CMI",
    "CmiGatewayUrl": "CMI's payment page",
    "CmiApiUrl": "CMI's API, asked about payments",
    "CmiApiUser": "our user of CMI's API",
    "MastercardGatewayUrl": "the Mastercard Gateway's host, https and no slash at the end",
    "MastercardMerchantId": "the merchant id at the Mastercard Gateway",
    "PayzonePaywallUrl": "Payzone's payment page",
    "PayzoneApiUrl": "Payzone's API, up to its version and no slash at the end",
    "PayzoneMerchantAccount": "the merchant account at Payzone",
    "PayzoneCallerName": "our user of Payzone's API",
    "WalletUrl": "the wallet provider's payment page",
    "WalletApiUrl": "the wallet provider's API, no slash at the end",
    "PayoutSchedule": "when a batch drafts itself, in Morocco's time, as MON 09:00, or off",
    "DebtorRib": "the RIB that payouts are drawn on",
}
"""What differs by stage and is no secret; its values stand in `infra/template/parameters/`."""
LONGEST_PARAMETER = 90
"""All variables of a function together have 4 KB."""


def resources(stage: str) -> dict[str, Any]:
    """Tables, queues, alarms, identity, bucket and secrets, as the `Resources` of a template."""
    assert stage in STAGES
    made_tables = tables.table_resources(stage)
    made_queues = queues.queue_resources(stage, QUEUES.values())
    made = {
        **made_tables,
        **made_queues,
        **alarms.topic_resources(stage),
        **alarms.event_alarms(stage),
        **identity.identity_resources(stage),
        **bucket.bucket_resources(stage),
        **secrets.secret_resources(stage),
    }
    for table_id in made_tables:
        made |= alarms.table_alarm(table_id)
    for queue_id, queue in made_queues.items():
        dead = "RedrivePolicy" not in queue["Properties"]
        made |= alarms.dead_queue_alarm(queue_id) if dead else alarms.queue_age_alarm(queue_id)
    return made


def parameters() -> dict[str, Any]:
    return {
        name: {
            "Type": "String",
            "Description": description,
            "MinLength": 1,
            "MaxLength": LONGEST_PARAMETER,
        }
        for name, description in PARAMETERS.items()
    }


def environment(stage: str) -> dict[str, Any]:
    """The variables of every function; values are strings or intrinsic functions."""
    queue_url = "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/"
    return {
        # pydantic looks through every installed package for plugins when it is first used.
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
        "MAALEM_STAGE": stage,
        "MAALEM_REGION": ref("AWS::Region"),
        "MAALEM_TABLE_PREFIX": prefix(stage),
        "MAALEM_QUEUE_URL_PREFIX": {"Fn::Sub": f"{queue_url}{prefix(stage)}"},
        "MAALEM_BUCKET": ref(bucket.BUCKET),
        "MAALEM_PUBLIC_URL": ref("PublicUrl"),
        "MAALEM_STOREFRONT_URL": ref("StorefrontUrl"),
        **_provider_environment(),
        "MAALEM_DEBTOR_RIB": ref("DebtorRib"),
        "MAALEM_PAYOUT_SCHEDULE": ref("PayoutSchedule"),
        **identity.token_environment(),
        **secrets.secret_environment(),
    }


def _provider_environment() -> dict[str, Any]:
    return {
        "MAALEM_CMI_CLIENT_ID": ref("CmiClientId"),
        "MAALEM_CMI_GATEWAY_URL": ref("CmiGatewayUrl"),
        "MAALEM_CMI_API_URL": ref("CmiApiUrl"),
        "MAALEM_CMI_API_USER": ref("CmiApiUser"),
        "MAALEM_MASTERCARD_GATEWAY_URL": ref("MastercardGatewayUrl"),
        "MAALEM_MASTERCARD_MERCHANT_ID": ref("MastercardMerchantId"),
        "MAALEM_PAYZONE_PAYWALL_URL": ref("PayzonePaywallUrl"),
        "MAALEM_PAYZONE_API_URL": ref("PayzoneApiUrl"),
        "MAALEM_PAYZONE_MERCHANT_ACCOUNT": ref("PayzoneMerchantAccount"),
        "MAALEM_PAYZONE_CALLER_NAME": ref("PayzoneCallerName"),
        "MAALEM_WALLET_URL": ref("WalletUrl"),
        "MAALEM_WALLET_API_URL": ref("WalletApiUrl"),
    }
