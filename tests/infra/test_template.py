"""The template before the build: tables from models, queues and secrets."""

import base64
import re
import string
from pathlib import Path
from typing import Any

import pytest
from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from chalicelib.config import NO_DEFAULT_ON_AWS, Settings
from chalicelib.edge.queues import MAX_RECEIVES, QUEUES
from chalicelib.edge.storage import due_index, meta
from infra.template import parameters, resources, secrets
from infra.template.stack import environment
from infra.template.tables import ConflictingModels, _resource, table_models

CHALICELIB = Path(__file__).resolve().parents[2] / "chalicelib"


def a_model(name: str, table: str, **attributes: Any) -> Any:
    """No `Table`, so that no other test takes it for one of ours."""
    fields = {"Meta": meta(table), "pk": UnicodeAttribute(hash_key=True), **attributes}
    return type(name, (Model,), fields)


def an_index(projection: Any) -> Any:
    class ByKind(GlobalSecondaryIndex[Any]):
        Meta = type("Meta", (), {"index_name": "by_kind", "projection": projection})
        a_sort = NumberAttribute(range_key=True)
        kind = UnicodeAttribute(hash_key=True)

    return ByKind()


class TestTables:
    def test_a_model_becomes_its_table(self):
        # Given a model with a sort key that sorts before its partition key, an index and an expiry
        model = a_model(
            "Thing",
            "things",
            a_range=UnicodeAttribute(range_key=True),
            due=due_index(),
            gone=TTLAttribute(null=True, attr_name="ttl"),
        )
        # When the template is made
        made = _resource("prod", "things", [model])
        # Then it says what the model says
        assert made["Properties"] == {
            "TableName": "maalem-prod-things",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "a_range", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"}
                for name in ("a_range", "due_at", "due_shard", "pk")
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "due",
                    "KeySchema": [
                        {"AttributeName": "due_shard", "KeyType": "HASH"},
                        {"AttributeName": "due_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": {"SSEEnabled": True},
            "DeletionProtectionEnabled": True,
        }
        assert made["DeletionPolicy"] == made["UpdateReplacePolicy"] == "Retain"

    def test_models_that_share_a_table_are_one_table_with_both_indexes(self):
        one = a_model("One", "shared", sk=UnicodeAttribute(range_key=True), due=due_index())
        index = an_index(KeysOnlyProjection())
        other = a_model("Other", "shared", sk=UnicodeAttribute(range_key=True), by_kind=index)
        made = _resource("dev", "shared", [one, other])["Properties"]
        assert [index["IndexName"] for index in made["GlobalSecondaryIndexes"]] == [
            "by_kind",
            "due",
        ]
        assert {"AttributeName": "a_sort", "AttributeType": "N"} in made["AttributeDefinitions"]
        assert made["DeletionProtectionEnabled"] is False

    @pytest.mark.parametrize(
        "second",
        [
            {},
            {
                "sk": UnicodeAttribute(range_key=True),
                "by_kind": an_index(AllProjection()),
            },
        ],
        ids=["other keys", "other projection"],
    )
    def test_models_that_disagree_are_refused(self, second):
        first = a_model(
            "First",
            "shared",
            sk=UnicodeAttribute(range_key=True),
            by_kind=an_index(KeysOnlyProjection()),
        )
        with pytest.raises(ConflictingModels, match="shared"):
            _resource("dev", "shared", [first, a_model("Second", "shared", **second)])

    def test_the_models_of_every_feature_are_found(self):
        declaring = {path.parent.name for path in CHALICELIB.glob("*/tables.py")}
        found = {
            model.__module__.split(".")[1] for models in table_models().values() for model in models
        }
        assert found == declaring

    @pytest.mark.parametrize("stage", ["local", "dev", "prod"])
    def test_names_are_explicit_in_every_stage(self, stage):
        made = resources(stage)
        for table, models in table_models().items():
            properties = made["".join(part.title() for part in table.split("-")) + "Table"]
            assert properties["Properties"]["TableName"] == f"maalem-{stage}-{table}"
            streams = {getattr(model.Meta, "stream_view_type", None) for model in models}
            assert ("StreamSpecification" in properties["Properties"]) == bool(streams - {None})

    def test_the_page_about_data_has_every_table_and_index(self):
        page = (CHALICELIB.parent / "docs" / "data.md").read_text(encoding="utf-8")
        named = {name for text in re.findall(r"`([^`]+)`", page) for name in spelled_out(text)}
        made = {
            table: _resource("prod", table, models)["Properties"].get("GlobalSecondaryIndexes", [])
            for table, models in table_models().items()
        }
        wanted = {f"{table}.{index['IndexName']}" for table in made for index in made[table]}
        assert (wanted | made.keys()) - named == set()


def spelled_out(text: str) -> list[str]:
    """`a.{b,c}_d` as `a.b_d` and `a.c_d`."""
    before, brace, rest = text.partition("{")
    if not brace:
        return [text]
    choices, _, after = rest.partition("}")
    return [each for choice in choices.split(",") for each in spelled_out(before + choice + after)]


class TestQueues:
    def test_each_queue_redrives_to_its_own_dead_letter_queue(self):
        made = resources("prod")
        for name in QUEUES:
            queue = made[f"{name.title()}Queue"]["Properties"]
            dead = made[f"{name.title()}DeadQueue"]["Properties"]
            assert queue["QueueName"] == f"maalem-prod-{name}"
            assert dead["QueueName"] == f"maalem-prod-{name}-dead"
            assert queue["RedrivePolicy"] == {
                "deadLetterTargetArn": {"Fn::GetAtt": [f"{name.title()}DeadQueue", "Arn"]},
                "maxReceiveCount": MAX_RECEIVES,
            }
            assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600
            assert queue["SqsManagedSseEnabled"]
            assert dead["SqsManagedSseEnabled"]


class TestEnvironment:
    def test_every_setting_without_a_safe_default_is_given(self):
        given = environment("prod")
        assert [name for name in NO_DEFAULT_ON_AWS if f"MAALEM_{name.upper()}" not in given] == []

    def test_no_variable_is_a_misspelled_setting(self):
        settings = {f"MAALEM_{name.upper()}" for name in Settings.__dataclass_fields__}
        ours = {name for name in environment("prod") if name.startswith("MAALEM_")}
        assert ours <= settings

    def test_every_parameter_that_is_used_is_declared(self):
        used = {
            value["Ref"]
            for value in environment("prod").values()
            if isinstance(value, dict) and "Ref" in value
        }
        made = resources("prod")
        assert {name for name in used if name not in made} - {"AWS::Region"} <= parameters().keys()

    def test_P16_a_secret_is_born_with_a_value_that_nobody_knows(self):
        made = resources("prod")
        for secret in secrets.SECRETS:
            properties = made[secrets.secret_id(secret)]["Properties"]
            assert properties["GenerateSecretString"]["PasswordLength"] >= 43
            assert "SecretString" not in properties
            reference = secrets.secret_environment()[f"MAALEM_{secret.setting.upper()}"]
            assert secrets.secret_id(secret) in reference["Fn::Sub"]

    def test_generated_secrets_have_the_form_their_readers_need(self):
        # Given what Secrets Manager would make: letters and digits
        letters = (string.ascii_letters + string.digits) * 2
        by_setting = {secret.setting: secret for secret in secrets.SECRETS}
        sealing, wallet = by_setting["sealing_key"], by_setting["wallet_secret"]
        # Then AES-256 has its 32 bytes, and a Standard Webhooks secret can be read
        assert len(base64.b64decode(letters[: sealing.length] + sealing.suffix)) == 32
        assert len(base64.b64decode(letters[: wallet.length] + wallet.suffix)) >= 24
