"""The local user pool: operators and artisans with known subjects, and their real tokens."""

import json
from threading import Lock
from typing import Any

import boto3
from moto.cognitoidp.models import cognitoidp_backends
from moto.utilities.utils import load_resource

from chalicelib.edge.auth import GROUP_ARTISANS, GROUP_OPERATORS
from infra.local import environment
from infra.local.environment import ACCOUNT, REGION
from infra.local.moto_fixes import moto_lock

OPERATOR_SUBJECT = "demo-operator-001"
ARTISAN_SUBJECT = "demo-artisan-001"
_PASSWORD = "Local-only-1!"  # Protects nothing: this pool lives and dies with the process.


class UserPool:
    """A Cognito user pool in moto whose tokens the app verifies as it would Cognito's."""

    def __init__(self) -> None:
        self._cognito = boto3.client("cognito-idp")
        self._making_users = Lock()
        self._groups_of: dict[str, str] = {}
        pool = self._cognito.create_user_pool(PoolName=f"{environment.NAME_PREFIX}users")
        self.pool_id: str = pool["UserPool"]["Id"]
        client = self._cognito.create_user_pool_client(
            UserPoolId=self.pool_id,
            ClientName="local",
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )
        self.client_id: str = client["UserPoolClient"]["ClientId"]
        for group in (GROUP_OPERATORS, GROUP_ARTISANS):
            self._cognito.create_group(UserPoolId=self.pool_id, GroupName=group)

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{REGION}.amazonaws.com/{self.pool_id}"

    def export(self) -> None:
        """Tell the app, by its environment, whose tokens to accept."""
        keys = json.dumps(load_resource("cognitoidp/resources/jwks-public.json"))
        environment.set_token_environment(self.issuer, self.client_id, keys)

    def token(self, subject: str, group: str) -> str:
        """An identity token of `subject`, who is made a user of `group` if not known yet."""
        with self._making_users:
            if subject not in self._groups_of:
                self._make_user(subject, group)
                self._groups_of[subject] = group
        answer = self._cognito.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": subject, "PASSWORD": _PASSWORD},
        )
        return str(answer["AuthenticationResult"]["IdToken"])

    def _make_user(self, subject: str, group: str) -> None:
        who: dict[str, Any] = {"UserPoolId": self.pool_id, "Username": subject}
        self._cognito.admin_create_user(
            **who,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": f"{subject}@example.ma"}],
        )
        self._cognito.admin_set_user_password(**who, Password=_PASSWORD, Permanent=True)
        self._cognito.admin_add_user_to_group(**who, GroupName=group)
        self._set_subject(subject)

    def _set_subject(self, subject: str) -> None:
        # Cognito chooses a random subject; ids follow from subjects, and demo ids must be known.
        with moto_lock:
            pool = cognitoidp_backends[ACCOUNT][REGION].user_pools[self.pool_id]
            user = pool.users[subject]
            user.id = subject
            user.update_attributes([{"Name": "sub", "Value": subject}])
