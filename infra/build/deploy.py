"""Uploads the zip and asks CloudFormation to change the stack: what `make deploy` does."""

import copy
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, WaiterError

from infra.build.errors import CannotDeploy
from infra.build.package import Artefact
from infra.build.transform import FUNCTION
from infra.template.names import APP
from infra.template.stack import PARAMETERS

PARAMETER_FILES = Path(__file__).resolve().parents[1] / "template" / "parameters"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
WAITING = {"Delay": 10, "MaxAttempts": 360}


@dataclass(frozen=True, slots=True)
class Order:
    """What the operator asked for.

    Args:
        secrets_revision: any text; a new one makes every function read its secrets again.
    """

    bucket: str
    region: str
    secrets_revision: str = "1"
    dry_run: bool = False


def deploy(artefact: Artefact, order: Order) -> Iterator[str]:
    """Deploy an artefact; says in a line each what was done.

    Raises:
        CannotDeploy: something is missing or AWS refused; the stack is as CloudFormation left it.
    """
    if not order.bucket:
        raise CannotDeploy("name the bucket that the zip is uploaded to: --bucket NAME")
    values = parameter_values(artefact.stage)
    session = boto3.session.Session(region_name=order.region)
    try:
        account = session.client("sts").get_caller_identity()["Account"]
        yield f"account {account}, region {order.region}"
        yield from _deploy(session, artefact, order, values)
    except NoCredentialsError as error:
        raise CannotDeploy("there are no AWS credentials: set AWS_PROFILE or sign in") from error
    except WaiterError as error:
        raise CannotDeploy(f"CloudFormation did not finish: {_reason_of(error)}") from error
    except (ClientError, BotoCoreError) as error:
        raise CannotDeploy(f"AWS refused: {error}") from error


def parameter_values(stage: str) -> dict[str, str]:
    """The stage's values of the template's parameters.

    Raises:
        CannotDeploy: the stage's file lacks one, or leaves it empty.
    """
    path = PARAMETER_FILES / f"{stage}.toml"
    given = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if missing := [name for name in PARAMETERS if not given.get(name)]:
        where = f"infra/template/parameters/{path.name}"
        raise CannotDeploy(f"fill in {', '.join(missing)} in {where}")
    return {name: str(given[name]) for name in PARAMETERS}


def deployable(template: dict[str, Any], bucket: str, key: str, revision: str) -> dict[str, Any]:
    """The template with the zip's address; the secrets' revision stands in every function."""
    document = copy.deepcopy(template)
    for resource in document["Resources"].values():
        if resource["Type"] == FUNCTION:
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
            variables = resource["Properties"]["Environment"]["Variables"]
            variables["MAALEM_SECRETS_REVISION"] = revision
    return document


def _deploy(
    session: Any, artefact: Artefact, order: Order, values: dict[str, str]
) -> Iterator[str]:
    stack = f"{APP}-{artefact.stage}"
    folder = f"{stack}/{artefact.zip_sha256}"
    template = deployable(artefact.template, order.bucket, f"{folder}.zip", order.secrets_revision)
    if order.dry_run:
        yield f"dry run: would change the stack {stack} with s3://{order.bucket}/{folder}.zip"
        return
    files = session.client("s3")
    for kind, body in (("zip", artefact.zip_file.read_bytes()), ("json", _as_json(template))):
        files.put_object(Bucket=order.bucket, Key=f"{folder}.{kind}", Body=body)
    yield f"uploaded s3://{order.bucket}/{folder}.zip"
    yield from _change(session.client("cloudformation"), stack, order, folder, values)


def _as_json(template: dict[str, Any]) -> bytes:
    return json.dumps(template, sort_keys=True).encode()


def _change(
    cloudformation: Any, stack: str, order: Order, folder: str, values: dict[str, str]
) -> Iterator[str]:
    kind = "UPDATE" if _exists(cloudformation, stack) else "CREATE"
    change = f"release-{folder.rpartition('/')[2][:12]}-{order.secrets_revision}"
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=change,
        ChangeSetType=kind,
        # By address: the template is longer than a request may be.
        TemplateURL=f"https://{order.bucket}.s3.{order.region}.amazonaws.com/{folder}.json",
        Capabilities=CAPABILITIES,
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in values.items()
        ],
    )
    names = {"StackName": stack, "ChangeSetName": change}
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(**names, WaiterConfig=WAITING)
    except WaiterError as error:
        if not _is_unchanged(error):
            raise
        cloudformation.delete_change_set(**names)
        yield f"{stack} is up to date"
        return
    cloudformation.execute_change_set(**names)
    yield f"{kind.lower()} of {stack} has begun"
    done = f"stack_{kind.lower()}_complete"
    cloudformation.get_waiter(done).wait(StackName=stack, WaiterConfig=WAITING)
    yield f"{stack} is deployed"


def _exists(cloudformation: Any, stack: str) -> bool:
    """False also for a stack that only a change set was made for."""
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return bool(found) and found[0]["StackStatus"] != "REVIEW_IN_PROGRESS"


def _is_unchanged(error: WaiterError) -> bool:
    reason = _reason_of(error)
    return "didn't contain changes" in reason or "No updates are to be performed" in reason


def _reason_of(error: WaiterError) -> str:
    answer = error.last_response or {}
    stacks = answer.get("Stacks") or [{}]
    reason = answer.get("StatusReason") or stacks[0].get("StackStatusReason") or error
    return str(reason)
