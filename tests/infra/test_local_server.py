"""The local HTTP server reads anything off a socket, and answers as API Gateway would."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from chalice import Chalice, CORSConfig, Response

from infra.local.environment import CannotStart
from infra.local.gateway import Gateway, HttpAnswer, HttpRequest
from infra.local.server import LocalServer


def tiny_app() -> Chalice:
    app = Chalice(app_name="tiny")
    cors = CORSConfig(allow_origin="*", allow_headers=["Idempotency-Key"], max_age=600)

    @app.route("/v1/things/{thing_id}", cors=cors)
    def thing(thing_id: str) -> dict:
        request = app.current_request
        query = request.query_params
        return {"id": thing_id, "colours": query.getlist("colour") if query else []}

    @app.route("/v1/things/special", cors=cors)
    def special() -> dict:
        return {"id": "the special one"}

    @app.route("/v1/echo", methods=["POST"], content_types=["*/*"], cors=cors)
    def echo() -> Response:
        return Response(app.current_request.raw_body.decode("latin-1"), {"X-Was": "echo"})

    @app.route("/v1/context")
    def context() -> dict:
        return dict(app.current_request.context)

    @app.route("/v1/slow/{name}")
    def slow(name: str) -> dict:
        both_inside.wait(timeout=5)
        return {"name": name, "path": app.current_request.uri_params["name"]}

    return app


both_inside = threading.Barrier(2)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    started = LocalServer(0, Gateway(tiny_app()).answer)
    thread = threading.Thread(target=started.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield started
    started.shutdown()
    started.server_close()


@pytest.fixture
def connection(server: LocalServer) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection(*server.server_address, timeout=5)
    yield opened
    opened.close()


def ask(
    connection: http.client.HTTPConnection, method: str, target: str, **options: object
) -> tuple[int, dict[str, str], bytes]:
    connection.request(method, target, **options)  # type: ignore[arg-type]
    answer = connection.getresponse()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


def say_raw(server: LocalServer, raw: bytes) -> bytes:
    """Everything that the server says to these bytes before it closes."""
    with socket.create_connection(server.server_address, timeout=5) as opened:
        opened.sendall(raw)
        opened.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: opened.recv(65536), b""))


class TestRouting:
    def test_a_fixed_path_comes_before_one_with_a_parameter(self, connection):
        assert json.loads(ask(connection, "GET", "/v1/things/special")[2])["id"] == (
            "the special one"
        )

    def test_values_of_the_path_stay_encoded_and_repeated_queries_stay_repeated(self, connection):
        status, _, body = ask(connection, "GET", "/v1/things/a%2Fb/?colour=red&colour=%C3%A9")
        assert status == 200
        assert json.loads(body) == {"id": "a%2Fb", "colours": ["red", "é"]}

    def test_the_request_context_has_what_handlers_use(self, connection):
        context = json.loads(ask(connection, "GET", "/v1/context")[2])
        assert context["requestId"]
        assert context["identity"]["sourceIp"] == "127.0.0.1"
        assert (context["httpMethod"], context["resourcePath"]) == ("GET", "/v1/context")
        assert context["stage"]

    @pytest.mark.parametrize("path", ["/nothing", "/", "/v1/things", "/v1/things//", "//"])
    def test_an_unknown_path_is_a_problem(self, connection, path):
        status, headers, body = ask(connection, "GET", path)
        assert (status, json.loads(body)["code"]) == (404, "not_found")
        assert headers["content-type"] == "application/problem+json"

    def test_a_wrong_method_is_a_problem_that_says_what_is_allowed(self, connection):
        status, headers, body = ask(connection, "DELETE", "/v1/echo")
        assert (status, json.loads(body)["code"]) == (405, "method_not_allowed")
        assert headers["allow"] == "OPTIONS, POST"

    def test_head_is_get_without_a_body(self, connection):
        status, headers, body = ask(connection, "HEAD", "/v1/things/1")
        assert (status, body) == (200, b"")
        assert int(headers["content-length"]) > 0
        assert ask(connection, "GET", "/v1/things/1")[0] == 200  # The connection is still in step.

    def test_a_preflight_is_answered_from_the_routes_own_settings(self, connection):
        status, headers, _ = ask(connection, "OPTIONS", "/v1/echo")
        assert status == 200
        assert headers["access-control-allow-origin"] == "*"
        assert "POST" in headers["access-control-allow-methods"]
        assert "Idempotency-Key" in headers["access-control-allow-headers"]

    def test_requests_at_once_see_their_own_request(self, server):
        # Given two requests that are inside their views at the same time
        seen: dict[str, dict] = {}

        def call(name: str) -> None:
            opened = http.client.HTTPConnection(*server.server_address, timeout=5)
            seen[name] = json.loads(ask(opened, "GET", f"/v1/slow/{name}")[2])
            opened.close()

        threads = [threading.Thread(target=call, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Then neither was given the other's
        assert seen == {name: {"name": name, "path": name} for name in ("one", "two")}


class TestBodies:
    def test_chunks_are_put_together(self, connection):
        connection.request(
            "POST", "/v1/echo", body=iter([b"one ", b"two ", b"three"]), encode_chunked=True
        )
        assert connection.getresponse().read() == b"one two three"

    def test_bytes_that_are_not_text_arrive_as_they_were(self, connection):
        raw = bytes(range(256))
        status, _, body = ask(connection, "POST", "/v1/echo", body=raw)
        assert status == 200
        assert body.decode().encode("latin-1") == raw

    def test_ten_megabytes_pass_and_one_byte_more_is_refused(self, server):
        most = 10 * 1024 * 1024
        accepted = http.client.HTTPConnection(*server.server_address, timeout=20)
        assert ask(accepted, "POST", "/v1/echo", body=b"x" * most)[0] == 200
        status, _, body = ask(accepted, "POST", "/v1/echo", body=b"x" * (most + 1))
        assert (status, json.loads(body)["code"]) == (413, "body_too_large")
        accepted.close()

    def test_a_huge_length_is_refused_before_the_body_is_sent(self, server):
        said = say_raw(
            server,
            b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n"
            b"Expect: 100-continue\r\n\r\n",
        )
        assert said.startswith(b"HTTP/1.1 413 ")
        assert b"100 Continue" not in said

    def test_too_many_chunks_are_refused(self, server):
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        head = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert say_raw(server, head + chunk * 11 + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")

    def test_a_client_that_waits_for_it_is_told_to_continue(self, server):
        said = say_raw(
            server,
            b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\nhi",
        )
        assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")


MALFORMED = {
    "not http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "one word": b"HELLO\r\n\r\n",
    "http 0.9": b"GET /v1/context\r\n\r\n",
    "odd version": b"GET / HTTP/x.y\r\n\r\n",
    "absolute address": b"GET http://else.where/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "lower-case method": b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "letters beyond ascii": "GET /é HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "header without a colon": b"GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "negative length": b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "length in words": b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: two\r\n\r\n",
    "two lengths": b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nab",
    "length and chunks": b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "short body": b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
    "bad chunk size": b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"zz\r\n\r\n",
    "chunk longer than it says": b"POST /v1/echo HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "chunks that end early": b"POST /v1/echo HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
}


class TestMalformed:
    @pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
    def test_what_cannot_be_read_is_answered_with_a_problem(self, server, raw):
        said = say_raw(server, raw)
        assert said.startswith(b"HTTP/1.1 400 ")
        assert json.loads(said.partition(b"\r\n\r\n")[2])["status"] == 400
        # And the server goes on
        after = http.client.HTTPConnection(*server.server_address, timeout=5)
        assert ask(after, "GET", "/v1/things/1")[0] == 200
        after.close()

    def test_an_address_that_is_too_long_is_414(self, server):
        raw = b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        assert say_raw(server, raw).startswith(b"HTTP/1.1 414 ")

    def test_too_many_headers_are_431(self, server):
        headers = b"".join(b"X-%d: 1\r\n" % number for number in range(200))
        raw = b"GET / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n"
        assert say_raw(server, raw).startswith(b"HTTP/1.1 431 ")

    def test_a_query_of_too_many_fields_is_400(self, connection):
        status, _, body = ask(connection, "GET", "/v1/context?" + "a=1&" * 1500)
        assert (status, json.loads(body)["code"]) == (400, "bad_request")

    def test_a_client_that_hangs_up_harms_nobody(self, server):
        for _ in range(5):
            with socket.create_connection(server.server_address, timeout=5) as opened:
                opened.sendall(b"GET /v1/things/1 HTTP/1.1\r\nHost: x\r\n\r\n")
        after = http.client.HTTPConnection(*server.server_address, timeout=5)
        assert ask(after, "GET", "/v1/things/1")[0] == 200
        after.close()

    def test_a_header_cannot_be_split_by_its_value(self):
        # Given an answer whose header carries a line break
        bad = LocalServer(0, lambda _: HttpAnswer(200, (("X-A", "1\r\nX-B: 2"),), b""))
        threading.Thread(target=bad.handle_request, daemon=True).start()
        said = say_raw(bad, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        bad.server_close()
        # Then it stays one header
        assert b"\r\nX-B" not in said


class TestConnections:
    def test_many_requests_share_a_connection_and_each_answer_is_one_write(self, server):
        with socket.create_connection(server.server_address, timeout=5) as opened:
            for _ in range(3):
                opened.sendall(b"GET /v1/things/1 HTTP/1.1\r\nHost: x\r\n\r\n")
                said = opened.recv(65536)
                # The body came with the headers, so no delayed acknowledgement can hold it back
                assert said.endswith(b'"colours":[]}')

    def test_a_failing_app_is_a_problem_and_not_a_dead_server(self):
        def fail(_: HttpRequest) -> HttpAnswer:
            raise RuntimeError("a planted failure")

        broken = LocalServer(0, fail)
        threading.Thread(target=broken.handle_request, daemon=True).start()
        said = say_raw(broken, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        broken.server_close()
        assert said.startswith(b"HTTP/1.1 500 ")
        assert b"planted" not in said

    def test_a_port_in_use_is_one_sentence(self, server):
        with pytest.raises(CannotStart, match=r"^Port \d+ is in use: .*\.$"):
            LocalServer(server.server_address[1], lambda _: HttpAnswer(200))
