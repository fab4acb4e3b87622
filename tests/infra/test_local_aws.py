"""moto behind one lock: threads cannot oversell, faults get in before it, resets are clean."""

import threading
import time

import boto3
import jwt
import pytest
from botocore.exceptions import ClientError

from chalicelib.config import settings
from chalicelib.edge.auth import Access, artisan_id_of, caller_for, forget_signing_keys
from chalicelib.errors import Unauthorized
from infra.local.environment import CannotStart
from infra.local.resources import Resources

STOCK = {
    "StockTable": {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": "maalem-local-tiny-stock",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "due", "AttributeType": "S"},
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "due",
                    "KeySchema": [{"AttributeName": "due", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        },
    }
}
TABLE = "maalem-local-tiny-stock"


@pytest.fixture
def stock(aws):
    made = Resources(STOCK)
    made.create()
    yield boto3.client("dynamodb")
    made.drop_tables()


def take_one(client, taker: str) -> bool:
    """Take one of the pieces and note who did, in one transaction."""
    take = {
        "Update": {
            "TableName": TABLE,
            "Key": {"pk": {"S": "piece"}},
            "UpdateExpression": "SET n = n - :one",
            "ConditionExpression": "n >= :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    note = {"Put": {"TableName": TABLE, "Item": {"pk": {"S": f"taker#{taker}"}}}}
    try:
        client.transact_write_items(TransactItems=[note, take])
    except client.exceptions.TransactionCanceledException:
        return False
    return True


class TestOneAtATime:
    def test_threads_that_transact_on_one_item_sell_what_there_is_and_no_more(self, stock):
        # Given ten pieces and forty who want one, on eight threads
        stock.put_item(TableName=TABLE, Item={"pk": {"S": "piece"}, "n": {"N": "10"}})
        taken: list[str] = []

        def want(thread: int) -> None:
            for number in range(5):
                if take_one(stock, f"{thread}-{number}"):
                    taken.append(f"{thread}-{number}")

        threads = [threading.Thread(target=want, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Then ten were sold, ten are noted, none is left
        assert len(taken) == 10
        rows = stock.scan(TableName=TABLE)["Items"]
        assert sorted(row["pk"]["S"] for row in rows if "n" not in row) == sorted(
            f"taker#{taker}" for taker in taken
        )
        assert stock.get_item(TableName=TABLE, Key={"pk": {"S": "piece"}})["Item"]["n"]["N"] == "0"

    def test_a_refused_transaction_leaves_every_item_as_it_was(self, stock):
        stock.put_item(TableName=TABLE, Item={"pk": {"S": "piece"}, "n": {"N": "0"}})
        stock.put_item(TableName=TABLE, Item={"pk": {"S": "taker#me"}, "was": {"S": "here"}})
        assert not take_one(stock, "me")
        rows = {row["pk"]["S"]: row for row in stock.scan(TableName=TABLE)["Items"]}
        assert rows == {
            "piece": {"pk": {"S": "piece"}, "n": {"N": "0"}},
            "taker#me": {"pk": {"S": "taker#me"}, "was": {"S": "here"}},
        }

    def test_a_transaction_costs_what_it_touches_and_not_what_the_table_holds(self, aws, stock):
        # Given how long five transactions take in an empty table and in one of 4,000 rows
        def seconds() -> float:
            stock.put_item(TableName=TABLE, Item={"pk": {"S": "piece"}, "n": {"N": "5"}})
            started = time.process_time()
            for number in range(5):
                assert take_one(stock, str(number))
            return time.process_time() - started

        empty = seconds()
        row = {"text": {"S": "x" * 200}, "parts": {"M": {"a": {"S": "b"}}}}
        aws.put_items(TABLE, [{"pk": {"S": f"row {n}"}} | row for n in range(4000)])
        # Then the rows make no difference (moto alone is a hundred times slower here)
        assert seconds() < 20 * empty

    def test_a_fault_that_blocks_in_its_hook_does_not_hold_the_lock(self, stock):
        # Given a client whose call waits before it is sent, as the interleaving tests do
        entered, go_on = threading.Event(), threading.Event()
        blocked = boto3.session.Session().client("dynamodb")

        def wait(**_: object) -> None:
            entered.set()
            go_on.wait(timeout=5)

        blocked.meta.events.register_first("before-send.dynamodb", wait)
        key = {"TableName": TABLE, "Key": {"pk": {"S": "x"}}}
        thread = threading.Thread(target=blocked.get_item, kwargs=key)
        thread.start()
        assert entered.wait(timeout=5)
        # Then another client is served meanwhile
        assert "Item" not in stock.get_item(**key)
        go_on.set()
        thread.join()


class TestResources:
    def test_a_table_of_another_shape_is_not_taken_for_ours(self, stock):
        other = {
            "StockTable": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": TABLE,
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                },
            }
        }
        with pytest.raises(CannotStart, match=r"delete the folder .local/dynamodb"):
            Resources(other).create()

    def test_a_table_that_is_there_already_is_kept(self, stock):
        stock.put_item(TableName=TABLE, Item={"pk": {"S": "kept"}})
        Resources(STOCK).create()
        assert stock.scan(TableName=TABLE)["Count"] == 1

    def test_references_are_worked_out(self):
        made = Resources(
            {"A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "maalem-local-a"}}}
        )
        assert made.resolve({"Fn::GetAtt": ["A", "Arn"]}).endswith(":maalem-local-a")
        assert made.resolve({"Fn::GetAtt": "A.QueueName"}) == "maalem-local-a"
        assert made.resolve({"Ref": "A"}).startswith("https://sqs.eu-west-3.")
        assert made.resolve({"Fn::Sub": "x-${AWS::Region}-${A.QueueName}"}) == (
            "x-eu-west-3-maalem-local-a"
        )
        assert made.resolve({"Fn::Sub": ["${b}", {"b": {"Ref": "AWS::AccountId"}}]}) == (
            "123456789012"
        )
        assert made.resolve({"k": [{"Fn::Join": ["-", ["a", "b"]]}]}) == {"k": ["a-b"]}

    def test_the_template_is_created_and_reset(self, aws):
        sqs = boto3.client("sqs")
        name = aws.resources.queues()[0]
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        assert url == f"{settings().queue_url_prefix}{name.removeprefix('maalem-local-')}"
        sqs.send_message(QueueUrl=url, MessageBody="x")
        boto3.client("s3").put_object(Bucket=settings().bucket, Key="a", Body=b"x")
        aws.reset()
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
        assert boto3.client("s3").list_objects_v2(Bucket=settings().bucket)["KeyCount"] == 0

    def test_nothing_is_sent_to_the_real_aws(self, aws):
        # A service that moto does not know is refused in the process.
        with pytest.raises(ClientError, match="404"):
            boto3.client("gamelift").list_builds()


class TestTokens:
    def test_a_token_is_verified_by_the_app_and_names_the_known_subject(self, aws, user_pool):
        forget_signing_keys()
        token = user_pool.token("demo-artisan-001", "artisans")
        caller = caller_for(Access.ARTISAN, {"authorization": f"Bearer {token}"})
        assert caller.subject == "demo-artisan-001"
        assert caller.artisan_id == artisan_id_of("demo-artisan-001")
        assert not caller.is_operator

    def test_an_operator_is_in_the_operators_group_alone(self, aws, user_pool):
        token = user_pool.token("demo-operator-001", "operators")
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["cognito:groups"] == ["operators"]
        assert claims["iss"] == settings().token_issuer
        assert claims["aud"] == settings().token_audience

    def test_a_token_whose_text_was_touched_is_refused(self, aws, user_pool):
        forget_signing_keys()
        head, body, signature = user_pool.token("demo-artisan-001", "artisans").split(".")
        forged = body[:-2] + ("AA" if body[-2:] != "AA" else "BB")
        with pytest.raises(Unauthorized):
            caller_for(Access.ARTISAN, {"authorization": f"Bearer {head}.{forged}.{signature}"})
