"""Deploying, as far as it can be shown without AWS: S3 and STS on moto, CloudFormation stubbed.

moto cannot make a stack of a SAM template, so what CloudFormation is asked is caught and read.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from infra.build import deploy as deploying
from infra.build.__main__ import main
from infra.build.deploy import Order, deploy, deployable, parameter_values
from infra.build.errors import CannotBuild, CannotDeploy
from infra.build.package import Artefact
from infra.template.stack import PARAMETERS

BUCKET = "maalem-artefacts"
SHA256 = "ab" * 32
NOW = datetime(2026, 11, 23, tzinfo=UTC)
CHANGE = {"StackName": "maalem-dev", "ChangeSetName": f"release-{SHA256[:12]}-1"}


@pytest.fixture
def artefact(tmp_path) -> Artefact:
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"CodeUri": "./deployment.zip", "Environment": {"Variables": {"A": "b"}}},
    }
    (tmp_path / "deployment.zip").write_bytes(b"PK")
    template = {"Resources": {"APIHandler": function}}
    return Artefact("dev", tmp_path, template, {}, ("APIHandler",), 2, SHA256)


@pytest.fixture
def aws(monkeypatch):
    """moto, with a bucket, and a CloudFormation client whose answers each test writes."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        boto3.client("s3", region_name="eu-west-3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
        )
        cloudformation = boto3.client("cloudformation", region_name="eu-west-3")
        give_stubbed_client(monkeypatch, cloudformation)
        with Stubber(cloudformation) as stub:
            yield stub
        # Where another test's moto is active too, only what was made here goes.
        bucket = boto3.resource("s3").Bucket(BUCKET)
        bucket.objects.all().delete()
        bucket.delete()


def give_stubbed_client(monkeypatch, cloudformation) -> None:
    made = boto3.session.Session.client

    def client(session, service, **options):
        return cloudformation if service == "cloudformation" else made(session, service, **options)

    monkeypatch.setattr(boto3.session.Session, "client", client)


def a_stack(status: str, **more: str) -> dict:
    return {
        "Stacks": [{"StackName": "maalem-dev", "CreationTime": NOW, "StackStatus": status, **more}]
    }


def expect_change_set(stub: Stubber, kind: str) -> None:
    stub.add_response(
        "create_change_set",
        {"Id": "arn:change"},
        CHANGE
        | {
            "ChangeSetType": kind,
            "TemplateURL": f"https://{BUCKET}.s3.eu-west-3.amazonaws.com/maalem-dev/{SHA256}.json",
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Parameters": ANY,
        },
    )


class TestDeploy:
    def test_a_new_stack_is_created_from_the_uploaded_template(self, aws, artefact):
        # Given no stack
        aws.add_client_error(
            "describe_stacks", "ValidationError", "Stack with id maalem-dev does not exist"
        )
        expect_change_set(aws, "CREATE")
        aws.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"}, CHANGE)
        aws.add_response("execute_change_set", {}, CHANGE)
        aws.add_response("describe_stacks", a_stack("CREATE_COMPLETE"))
        # When it is deployed
        said = list(deploy(artefact, Order(BUCKET, "eu-west-3")))
        # Then the zip and the template that names it are in the bucket
        files = boto3.client("s3", region_name="eu-west-3")
        body = files.get_object(Bucket=BUCKET, Key=f"maalem-dev/{SHA256}.json")["Body"].read()
        function = json.loads(body)["Resources"]["APIHandler"]["Properties"]
        code = function["CodeUri"]
        assert code == {"Bucket": BUCKET, "Key": f"maalem-dev/{SHA256}.zip"}
        assert files.get_object(Bucket=BUCKET, Key=code["Key"])["Body"].read() == b"PK"
        assert said[-1] == "maalem-dev is deployed"
        aws.assert_no_pending_responses()

    def test_a_deployment_without_changes_says_so_and_leaves_nothing(self, aws, artefact):
        aws.add_response("describe_stacks", a_stack("UPDATE_COMPLETE"))
        expect_change_set(aws, "UPDATE")
        reason = "The submitted information didn't contain changes."
        aws.add_response(
            "describe_change_set", {"Status": "FAILED", "StatusReason": reason}, CHANGE
        )
        aws.add_response("delete_change_set", {}, CHANGE)
        assert list(deploy(artefact, Order(BUCKET, "eu-west-3")))[-1] == "maalem-dev is up to date"
        aws.assert_no_pending_responses()

    def test_a_rolled_back_stack_is_a_sentence(self, aws, artefact):
        aws.add_response("describe_stacks", a_stack("UPDATE_COMPLETE"))
        expect_change_set(aws, "UPDATE")
        aws.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"}, CHANGE)
        aws.add_response("execute_change_set", {}, CHANGE)
        failed = a_stack("UPDATE_ROLLBACK_COMPLETE", StackStatusReason="a table was refused")
        aws.add_response("describe_stacks", failed)
        with pytest.raises(CannotDeploy, match="a table was refused"):
            list(deploy(artefact, Order(BUCKET, "eu-west-3")))

    def test_a_dry_run_uploads_nothing(self, aws, artefact):
        said = list(deploy(artefact, Order(BUCKET, "eu-west-3", dry_run=True)))
        assert said[-1].startswith("dry run")
        files = boto3.client("s3", region_name="eu-west-3")
        assert files.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


class TestWhatIsMissing:
    def test_a_missing_bucket_is_a_sentence(self, aws, artefact):
        with pytest.raises(CannotDeploy, match="NoSuchBucket"):
            list(deploy(artefact, Order("nobodys-bucket", "eu-west-3")))

    def test_an_unnamed_bucket_is_a_sentence(self, artefact):
        with pytest.raises(CannotDeploy, match="--bucket NAME"):
            list(deploy(artefact, Order("", "eu-west-3")))

    def test_missing_credentials_are_a_sentence(self, artefact, monkeypatch, tmp_path):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with pytest.raises(CannotDeploy, match="no AWS credentials"):
            list(deploy(artefact, Order(BUCKET, "eu-west-3")))

    def test_an_empty_parameter_is_a_sentence_with_its_name_and_file(self, tmp_path, monkeypatch):
        (tmp_path / "prod.toml").write_text('PublicUrl = "https://api.example"\nDebtorRib = ""\n')
        monkeypatch.setattr(deploying, "PARAMETER_FILES", tmp_path)
        with pytest.raises(
            CannotDeploy, match=r"fill in .*DebtorRib in infra/template/.*prod.toml"
        ):
            parameter_values("prod")

    def test_the_command_ends_with_1_and_the_sentence(self, monkeypatch, capsys):
        def refuse(stage: str, out: Path) -> Artefact:
            raise CannotBuild("app.py is missing")

        monkeypatch.setattr("infra.build.__main__.build", refuse)
        assert main(["--stage", "dev"]) == 1
        assert "app.py is missing" in capsys.readouterr().out


def test_the_stages_files_name_every_parameter_and_no_other():
    for path in deploying.PARAMETER_FILES.glob("*.toml"):
        named = {line.split(" = ")[0] for line in path.read_text().splitlines() if " = " in line}
        assert named == set(PARAMETERS), path.name


def test_a_new_secrets_revision_changes_every_function(artefact):
    one = deployable(artefact.template, BUCKET, "key.zip", "1")
    two = deployable(artefact.template, BUCKET, "key.zip", "2")
    assert one != two
    assert "MAALEM_SECRETS_REVISION" not in str(artefact.template)
