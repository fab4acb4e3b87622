"""The deployable artefact: packaged once per run, then read as AWS and Lambda would read it."""

import ast
import copy
import json
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from chalicelib.edge import turns
from chalicelib.edge.outbound import Limits
from chalicelib.edge.queues import QUEUES
from chalicelib.problem_titles import TITLES
from infra.build import archive, checks, gateway, package
from infra.build.errors import CannotBuild
from infra.build.package import PROJECT, build
from infra.build.transform import CALLING_SECONDS, SWEEP_SECONDS, transform
from infra.template import resources
from infra.template.stack import LONGEST_PARAMETER

pytestmark = [pytest.mark.artefact, pytest.mark.xdist_group("artefact")]

SETTINGS_ON_AWS = {
    "MAALEM_REGION": "eu-west-3",
    "MAALEM_TOKEN_ISSUER": "https://issuer.example",
    "MAALEM_TOKEN_AUDIENCE": "an-audience",
    "MAALEM_PUBLIC_URL": "https://api.example",
    "MAALEM_SEALING_KEY": "A" * 43 + "=",
}

HEALTH_REQUEST = {
    "resource": "/v1/health",
    "path": "/v1/health",
    "httpMethod": "GET",
    "headers": {"accept": "application/json"},
    "multiValueHeaders": {"accept": ["application/json"]},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "requestContext": {
        "httpMethod": "GET",
        "resourcePath": "/v1/health",
        "path": "/api/v1/health",
        "requestId": "11111111-2222-3333-4444-555555555555",
        "identity": {"sourceIp": "203.0.113.7"},
    },
    "body": None,
    "isBase64Encoded": False,
}
ZONES = [
    "tzdata/zoneinfo/__init__.py",
    "tzdata/zoneinfo/Africa/Casablanca",
    "tzdata/zoneinfo/Africa/Cairo",
    "tzdata/zoneinfo/tzdata.zi",
    "tzdata/zones",
]
LOADED_LATER = """
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from chalicelib.edge import observability, sealing
from chalicelib.edge.storage import aws_client, connection
for service in ("dynamodb", "s3", "sqs"):
    aws_client(service)
assert connection().client
assert sealing.unseal(sealing.seal(b"a", "c"), "c") == b"a"
key = rsa.generate_private_key(65537, 2048)
token = jwt.encode({"a": 1}, key, algorithm="RS256")
assert jwt.decode(token, key.public_key(), algorithms=["RS256"]) == {"a": 1}
observability.count("Tried", kind="test")
observability.logger.error("tried")
from chalicelib.notifications.rendering import render
delivered = {"order_id": "ord_1", "goods": "Vase", "until": "2026-11-30T11:00:00Z"}
assert "30 November at 11:00" in render("parcel_delivered", delivered, "en").text
"""


def run_in_lambda(artefact, code: str, **variables: str) -> str:
    """Run code as Lambda would: the zip, the standard library, and the deployed settings."""
    environment = template_environment(artefact) | SETTINGS_ON_AWS | variables
    start = f"import sys; sys.path.insert(0, {str(artefact.unpacked)!r})\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", start + code],
        env=environment | {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def template_environment(artefact) -> dict[str, str]:
    functions = checks.of_type(artefact.translated, "AWS::Lambda::Function")
    variables = functions["APIHandler"]["Environment"]["Variables"]
    return {name: v if isinstance(v, str) else f"a-{name}" for name, v in variables.items()}


class TestTemplate:
    def test_every_promise_about_the_template_is_kept(self, template):
        assert checks.findings(template) == []

    def test_cloudformation_s_own_rules_are_kept(self, template, tmp_path):
        path = tmp_path / "translated.json"
        path.write_text(json.dumps(template))
        done = lint(path)
        assert done.returncode == 0, done.stdout

    def test_cloudformation_s_rules_would_see_a_reference_to_nothing(self, template, tmp_path):
        broken = copy.deepcopy(template)
        broken["Resources"]["APIHandler"]["Properties"]["Role"] = {"Fn::GetAtt": ["Nobody", "Arn"]}
        path = tmp_path / "translated.json"
        path.write_text(json.dumps(broken))
        assert lint(path).returncode != 0

    def test_the_merge_keeps_every_resource_and_its_explicit_name(self, template):
        # AWS::Region and the like stand in both, so equality is exact.
        for name, resource in resources("prod").items():
            assert template["Resources"][name] == resource

    def test_every_queue_has_a_consumer(self, template):
        mappings = checks.of_type(template, "AWS::Lambda::EventSourceMapping").values()
        consumed = {mapping["EventSourceArn"]["Fn::GetAtt"][0] for mapping in mappings}
        assert {f"{name.title()}Queue" for name in QUEUES} <= consumed

    def test_every_published_stream_has_a_reader(self, template):
        mappings = checks.of_type(template, "AWS::Lambda::EventSourceMapping").values()
        consumed = {mapping["EventSourceArn"]["Fn::GetAtt"][0] for mapping in mappings}
        tables = checks.of_type(template, "AWS::DynamoDB::Table")
        assert {
            name for name, table in tables.items() if "StreamSpecification" in table
        } <= consumed

    def test_there_is_one_stage_and_it_is_ours(self, template):
        stages = checks.of_type(template, "AWS::ApiGateway::Stage").values()
        assert [stage["StageName"] for stage in stages] == ["api"]
        deployments = checks.of_type(template, "AWS::ApiGateway::Deployment").values()
        assert [deployment.get("StageName") for deployment in deployments] == [None]

    def test_the_gateway_s_own_refusals_are_problem_documents(self, template):
        body = checks.of_type(template, "AWS::ApiGateway::RestApi")["RestAPI"]["Body"]
        for answer in body[gateway.RESPONSES].values():
            problem = json.loads(answer["responseTemplates"]["application/json"]["Fn::Sub"])
            headers = answer["responseParameters"]
            assert problem.keys() == {"type", "title", "status", "detail", "code", "request_id"}
            assert str(problem["status"]) == answer["statusCode"]
            assert problem["type"] == f"${{PublicUrl}}/v1/errors/{problem['code']}"
            assert problem["code"] in TITLES
            type_header = headers["gatewayresponse.header.Content-Type"]
            assert type_header == "'application/problem+json'"
            if problem["status"] in (429, 503):
                assert "gatewayresponse.header.Retry-After" in headers

    def test_a_function_has_the_time_that_its_calls_to_providers_may_take(self, template):
        functions = checks.of_type(template, "AWS::Lambda::Function")
        seconds = {name: function["Timeout"] for name, function in functions.items()}
        assert seconds["APIHandler"] == 25  # the gateway gives up after 29
        assert seconds["ApplyPaymentMessage"] == CALLING_SECONDS
        assert seconds["SweepRefunds"] == seconds["SweepExpiredHolds"] == SWEEP_SECONDS
        assert seconds["Settle"] == seconds["RelayRefundChanges"] == 25
        # A batch begins nothing after its time, and its last message may then take its own.
        assert CALLING_SECONDS > turns.TAKING_SECONDS + turns.LONGEST_STEP_SECONDS
        assert 5 * Limits().total <= turns.LONGEST_STEP_SECONDS

    def test_function_names_are_found_not_listed(self, artefact, template):
        made = checks.of_type(template, "AWS::Lambda::Function")
        assert set(artefact.functions) == set(made)
        assert {function["Runtime"] for function in made.values()} == {"python3.11"}

    def test_it_is_within_cloudformation_s_and_iam_s_limits(self, template):
        assert len(template["Resources"]) <= 500
        assert len(json.dumps(template)) <= 1_000_000
        for name, role in checks.of_type(template, "AWS::IAM::Role").items():
            documents = json.dumps(role["Policies"], separators=(",", ":"))
            # Every reference becomes an ARN; IAM allows 10,240 characters without spaces.
            written = re.sub(r'\{"(Fn::GetAtt|Fn::Sub)":.*?\}', "x" * 100, documents)
            assert len(written) <= 10_240, name

    def test_the_variables_fit_into_lambda_s_4_kb(self, template):
        longest_secret = 64  # providers' keys have 32 to 64 characters, ours 44

        def resolved(value: object) -> str:
            if isinstance(value, str):
                return value
            is_secret = "resolve:secretsmanager" in json.dumps(value)
            return "x" * (longest_secret if is_secret else LONGEST_PARAMETER)

        for function in checks.of_type(template, "AWS::Lambda::Function").values():
            variables = function["Environment"]["Variables"]
            assert sum(map(len, [*variables, *map(resolved, variables.values())])) < 4096


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("cfn-lint"), "--regions", "eu-west-3", "--", path]
    return subprocess.run(command, capture_output=True, text=True)


class TestBuild:
    def test_a_broken_promise_leaves_no_zip(self, artefact, tmp_path, monkeypatch):
        """Chalice's part is taken from the good build; what follows it is spoiled."""

        def chalice(source, stage, merge_file, packed):
            shutil.copytree(artefact.out / "chalice", packed)

        def spoiled(template, stage, source_root, version):
            transform(template, stage, source_root, version)
            template["Resources"]["SettlementQueue"]["Properties"]["VisibilityTimeout"] = 30

        monkeypatch.setattr(package, "_run_chalice", chalice)
        monkeypatch.setattr(package, "transform", spoiled)
        with pytest.raises(CannotBuild, match="under six times"):
            build("prod", tmp_path)
        assert not (tmp_path / "deployment.zip").exists()
        assert not (tmp_path / "template.json").exists()

    def test_an_app_that_chalice_refuses_is_a_sentence(self, tmp_path):
        project = tmp_path / "project"
        for name in package.SOURCES:
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            if name != "chalicelib":
                (project / name).write_text("{}" if name.endswith("json") else "")
        (project / "chalicelib").mkdir()
        (project / "app.py").write_text("import nothing_of_this_name")
        with pytest.raises(CannotBuild, match="No module named 'nothing_of_this_name'"):
            build("prod", tmp_path / "out", project)


class TestZip:
    def test_it_is_at_most_12_mb(self, artefact):
        assert artefact.zip_bytes <= 12 * 1024 * 1024

    def test_every_handler_imports_from_the_zip_alone(self, artefact, template):
        """Each in a process of its own, as each is a cold start of its own."""
        functions = checks.of_type(template, "AWS::Lambda::Function").values()
        for handler in sorted({function["Handler"] for function in functions}):
            module, _, name = handler.rpartition(".")
            found = run_in_lambda(
                artefact,
                f"import importlib\nmodule = importlib.import_module({module!r})\n"
                f"assert callable(getattr(module, {name!r}))\nprint(module.__file__)",
            )
            assert found.startswith(str(artefact.unpacked)), handler

    def test_what_the_handlers_load_later_works_too(self, artefact):
        assert '"Tried"' in run_in_lambda(artefact, LOADED_LATER)

    def test_the_api_answers_a_request_of_api_gateway(self, artefact):
        code = f"import json, app\nprint(json.dumps(app.app({HEALTH_REQUEST!r}, None)))"
        answer = json.loads(run_in_lambda(artefact, code).splitlines()[-1])
        assert answer["statusCode"] == 200
        assert json.loads(answer["body"])["version"] == artefact.zip_sha256[:12]

    def test_every_requirement_is_in_it_and_chalice_s_own_tools_are_not(self, artefact):
        with zipfile.ZipFile(artefact.zip_file) as packed:
            names = packed.namelist()
        lines = (PROJECT / "requirements.txt").read_text().splitlines()
        wanted = [line.split("==") for line in lines if line and not line.startswith("#")]
        for name, version in wanted:
            folder = re.sub(r"[-.]", "_", name.partition("[")[0])
            pattern = re.compile(rf"{folder}-{re.escape(version)}\.dist-info/METADATA", re.I)
            assert any(pattern.fullmatch(path) for path in names), name
            assert distribution(name.partition("[")[0]).version == version
        tops = {path.split("/")[0] for path in names}
        assert not tops & {"pip", "setuptools", "boto3", "infra", "tests", "moto", "click"}

    def test_bytecode_is_there_for_every_source_and_is_never_stale(self, artefact):
        with zipfile.ZipFile(artefact.zip_file) as packed:
            names = set(packed.namelist())
            sources = [name for name in names if name.endswith(".py")]
            for source in sources:
                folder, _, name = source.rpartition("/")
                cached = f"{folder}/__pycache__/" if folder else "__pycache__/"
                compiled = f"{cached}{name.removesuffix('.py')}.cpython-311.pyc"
                assert compiled in names, source
                # PEP 552: bit 0 says that a hash is kept, bit 1 that it is checked.
                assert packed.read(compiled)[4:8] == b"\x01\x00\x00\x00"

    def test_the_same_sources_give_the_same_zip(self, artefact, tmp_path):
        packed = artefact.out / "chalice" / "deployment.zip"
        again = archive.rebuild(packed, tmp_path / "unpacked", tmp_path / "again.zip")
        assert again == artefact.zip_sha256

    def test_of_the_time_zones_only_morocco_s_is_shipped(self):
        shipped = filter(archive.is_needed, ZONES)
        assert list(shipped) == ["tzdata/zoneinfo/__init__.py", "tzdata/zoneinfo/Africa/Casablanca"]

    def test_botocore_keeps_the_data_of_every_client_that_is_made(self):
        made = set()
        for path in (PROJECT / "chalicelib").rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                if is_call and node.func.id == "aws_client":
                    made |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
        assert made <= archive.SERVICES

    def test_code_that_uses_what_is_left_out_is_refused(self, tmp_path):
        path = tmp_path / "chalicelib" / "x.py"
        path.parent.mkdir()
        path.write_text("from aws_lambda_powertools.utilities.idempotency import idempotent\n")
        with pytest.raises(CannotBuild, match="idempotency"):
            archive._refuse_missing_modules(tmp_path)
