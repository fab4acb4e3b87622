"""Who may sign in: the Cognito user pool, the storefront's client, the two groups."""

from typing import Any

from infra.template.names import physical, ref

GROUPS = ("artisans", "operators")
POOL = "UserPool"
CLIENT = "UserPoolClient"


def identity_resources(stage: str) -> dict[str, Any]:
    return {
        POOL: _pool(stage),
        CLIENT: _client(stage),
        **{
            f"{group.capitalize()}Group": {
                "Type": "AWS::Cognito::UserPoolGroup",
                "Properties": {"GroupName": group, "UserPoolId": ref(POOL)},
            }
            for group in GROUPS
        },
    }


def token_environment() -> dict[str, Any]:
    """What the API needs to check a token: who signed it, for whom, and where the keys are."""
    issuer = "https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}/${UserPool}"
    return {
        "MAALEM_TOKEN_ISSUER": {"Fn::Sub": issuer},
        "MAALEM_TOKEN_AUDIENCE": ref(CLIENT),
        "MAALEM_JWKS_URL": {"Fn::Sub": f"{issuer}/.well-known/jwks.json"},
    }


def _pool(stage: str) -> dict[str, Any]:
    """Artisans sign up with a phone or an e-mail; a name in one is not an account in the other."""
    return {
        "Type": "AWS::Cognito::UserPool",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "UserPoolName": physical(stage, "people"),
            "DeletionProtection": "ACTIVE" if stage == "prod" else "INACTIVE",
            "UsernameAttributes": ["email", "phone_number"],
            "AutoVerifiedAttributes": ["email"],
            "UsernameConfiguration": {"CaseSensitive": False},
            "MfaConfiguration": "OPTIONAL",
            "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
            "AccountRecoverySetting": {
                "RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]
            },
            "Policies": {
                "PasswordPolicy": {
                    "MinimumLength": 12,
                    "RequireLowercase": False,
                    "RequireNumbers": False,
                    "RequireSymbols": False,
                    "RequireUppercase": False,
                    "TemporaryPasswordValidityDays": 3,
                }
            },
        },
    }


def _client(stage: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Cognito::UserPoolClient",
        "Properties": {
            "ClientName": physical(stage, "storefront"),
            "UserPoolId": ref(POOL),
            "GenerateSecret": False,
            "PreventUserExistenceErrors": "ENABLED",
            "EnableTokenRevocation": True,
            "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            "AccessTokenValidity": 60,
            "IdTokenValidity": 60,
            "RefreshTokenValidity": 30,
            "TokenValidityUnits": {
                "AccessToken": "minutes",
                "IdToken": "minutes",
                "RefreshToken": "days",
            },
        },
    }
