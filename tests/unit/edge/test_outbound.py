"""The client for calls to providers, against a real server on loopback."""

import datetime as dt
import ipaddress
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as some

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import observability, outbound
from chalicelib.edge.outbound import (
    CALLS_PER_RETRY,
    MAX_ANSWER_BYTES,
    MAX_RETRIES,
    RETRY_RESERVE,
    Limits,
    NotSent,
    OutcomeUnknown,
    Request,
    Response,
    UnusableAddress,
    send,
)
from chalicelib.errors import Unavailable

BODY = b'{"amount": "249.90"}'
SHORT = Limits(connect=1, read=0.1, total=60)


class Provider(ThreadingHTTPServer):
    """A provider on loopback: answers by its script, one entry per call, the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[Callable[[_Handler], None]] = [answers(200, b"{}")]
        self.taken: list[tuple[str, str, bytes]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hung up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._take()

    def do_PUT(self) -> None:
        self._take()

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        number = len(self.server.taken)
        self.server.taken.append((self.command, self.path, body))
        script = self.server.script
        script[min(number, len(script) - 1)](self)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


def answers(status: int, body: bytes = b"", **headers: str) -> Callable[[_Handler], None]:
    def answer(handler: _Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs_up(handler: _Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def says_nothing(handler: _Handler) -> None:
    handler.server.released.wait(10)
    handler.close_connection = True


def breaks_off(handler: _Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"state": "suc')
    hangs_up(handler)


@contextmanager
def running(server: Provider) -> Iterator[Provider]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def over_the_network() -> None:
    outbound.reset()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running(Provider()) as server:
        yield server


@pytest.fixture
def pauses() -> list[float]:
    waited: list[float] = []
    clock.set_pause(waited.append)
    return waited


def a_request(provider: Provider, **changes: object) -> Request:
    content = {"method": "PUT", "url": f"{provider.url}/refunds/rfd_1", "body": BODY}
    return Request(**(content | changes))


class TestAnswers:
    @pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 403, 404, 409, 422])
    def test_what_the_provider_decided_is_an_answer(self, provider, status):
        said = b"" if status == 204 else b'{"result": 1}'
        provider.script = [answers(status, said)]
        assert send("wallet", a_request(provider)) == Response(status, said)
        assert provider.taken == [("PUT", "/refunds/rfd_1", BODY)]

    def test_headers_arrive_and_no_connection_is_kept(self, provider):
        # Given a provider that would keep the connection
        seen = []

        def look(handler):
            seen.append((handler.headers["Authorization"], handler.client_address))
            answers(200)(handler)
            handler.close_connection = False

        provider.script = [look]
        # When it is called twice
        for _ in range(2):
            send("wallet", a_request(provider, headers={"Authorization": "Bearer key"}))
        # Then over two connections
        assert [authorization for authorization, _ in seen] == ["Bearer key"] * 2
        assert len({address for _, address in seen}) == 2

    def test_an_answer_of_exactly_256_kb_is_read(self, provider):
        provider.script = [answers(200, b"x" * MAX_ANSWER_BYTES)]
        assert len(send("wallet", a_request(provider)).body) == MAX_ANSWER_BYTES

    def test_P15_no_secret_and_no_body_is_printed(self, provider, capsys, monkeypatch):
        monkeypatch.setattr(observability.logger.registered_handler, "stream", sys.stdout)
        provider.script = [answers(500, b"amina@example.com")]
        request = a_request(provider, headers={"Authorization": "Bearer sk_1"})
        with pytest.raises(OutcomeUnknown) as raised:
            send("wallet", request)
        printed = "".join(capsys.readouterr()) + repr(request) + repr(raised.value)
        assert "a provider gave no answer" in printed
        for private in ("sk_1", "249.90", "amina"):
            assert private not in printed


class TestUnknown:
    @pytest.mark.parametrize(
        "behaviour",
        [
            answers(500),
            answers(502, b"<html>"),
            answers(503),
            answers(429),
            answers(408),
            answers(302, Location="/elsewhere"),
            answers(307, Location="/elsewhere"),
            answers(200, b"x" * (MAX_ANSWER_BYTES + 1)),
            hangs_up,
            breaks_off,
            says_nothing,
        ],
        ids=["500", "502", "503", "429", "408", "302", "307", "huge", "hang up", "half", "silence"],
    )
    def test_P8_what_is_no_answer_is_unknown_and_sent_once(self, provider, behaviour):
        # Given a provider that takes the call, and whose answer cannot be trusted
        outbound.set_limits(SHORT)
        provider.script = [behaviour]
        # When something is sent that may not be sent twice
        with pytest.raises(OutcomeUnknown) as raised:
            send("mastercard", a_request(provider, repeatable=False))
        # Then nobody claims that it failed, and it was taken once
        assert not isinstance(raised.value, NotSent)
        assert "fail" not in f"{raised.value} {raised.value.why}"
        assert isinstance(raised.value, Unavailable)
        assert len(provider.taken) == 1

    @pytest.mark.parametrize("status", [302, 429])
    def test_a_redirect_is_not_followed_and_a_refusal_to_talk_not_repeated(self, provider, status):
        provider.script = [answers(status, Location=f"{provider.url}/elsewhere")]
        with pytest.raises(OutcomeUnknown):
            send("wallet", a_request(provider, repeatable=True))
        assert [path for _, path, _ in provider.taken] == ["/refunds/rfd_1"]

    def test_a_body_that_trickles_in_is_cut_off(self):
        # Given a provider that sends a byte whenever the socket's patience is nearly over
        start = clock.outside_now()
        read: list[dt.datetime] = []

        class Trickle:
            def read1(self, count: int) -> bytes:
                read.append(start + dt.timedelta(seconds=7 * (len(read) + 1)))
                return b"x"

        # When its answer is read, then it is given up in time
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(outbound.clock, "outside_now", lambda: read[-1])
            with pytest.raises(OutcomeUnknown):
                outbound._read(Trickle(), start + dt.timedelta(seconds=10))
        assert len(read) == 2


class TestRepeating:
    def test_P8_a_lost_answer_is_asked_for_again_with_the_same_bytes(self, provider, pauses):
        # Given a provider that takes the call and whose answer is lost
        provider.script = [hangs_up, answers(200, b'{"state": "done"}')]
        # When it is repeatable
        got = send("wallet", a_request(provider, repeatable=True))
        # Then the same bytes are sent again, after a pause, and the answer is had
        assert got.body == b'{"state": "done"}'
        assert provider.taken == [("PUT", "/refunds/rfd_1", BODY)] * 2
        assert len(pauses) == 1

    @pytest.mark.parametrize("behaviour", [answers(503), hangs_up, breaks_off, says_nothing])
    def test_it_is_tried_three_times_and_then_unknown(self, provider, pauses, behaviour):
        outbound.set_limits(SHORT)
        provider.script = [behaviour]
        with pytest.raises(OutcomeUnknown):
            send("wallet", a_request(provider, repeatable=True))
        assert len(provider.taken) == 1 + MAX_RETRIES
        assert [0 <= pause <= 0.4 for pause in pauses] == [True] * MAX_RETRIES

    def test_what_was_never_sent_may_always_be_sent_again(self, pauses):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
            with pytest.raises(NotSent):
                send("mastercard", Request("PUT", url, repeatable=False))
        assert len(pauses) == MAX_RETRIES

    def test_a_name_that_nobody_has_is_never_sent(self, monkeypatch):
        def unknown_host(*args: object, **keys: object) -> None:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown_host)
        with pytest.raises(NotSent):
            send("mastercard", Request("PUT", "https://provider.example/"))

    def test_a_connection_that_takes_too_long_is_never_sent(self, monkeypatch, pauses):
        # The socket is replaced: loopback has no way to be slow.
        def slow(*args: object, **keys: object) -> None:
            raise TimeoutError("timed out")

        monkeypatch.setattr("urllib3.util.connection.create_connection", slow)
        with pytest.raises(NotSent):
            send("mastercard", Request("PUT", "http://127.0.0.1:9/"))
        assert len(pauses) == MAX_RETRIES

    def test_no_attempt_starts_that_could_outlast_the_function(self, provider):
        # Given eleven of twenty seconds gone, and an attempt that may take ten
        provider.script = [hangs_up]
        moments = iter([0, 1, 11])
        start = clock.outside_now()

        def stepping() -> dt.datetime:
            return start + dt.timedelta(seconds=next(moments))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(outbound.clock, "outside_now", stepping)
            with pytest.raises(OutcomeUnknown):
                send("wallet", a_request(provider, repeatable=True))
        # Then it was not tried again
        assert len(provider.taken) == 1


class TestBudget:
    def test_an_outage_does_not_multiply_the_traffic(self, provider):
        provider.script = [answers(503)]
        calls = 40
        for _ in range(calls):
            with pytest.raises(OutcomeUnknown):
                send("wallet", a_request(provider, repeatable=True))
        assert len(provider.taken) <= calls + RETRY_RESERVE + calls // CALLS_PER_RETRY
        assert len(provider.taken) > calls + RETRY_RESERVE

    def test_one_providers_outage_takes_nothing_from_another(self, provider):
        provider.script = [answers(503)]
        for _ in range(20):
            with pytest.raises(OutcomeUnknown):
                send("wallet", a_request(provider, repeatable=True))
        before = len(provider.taken)
        with pytest.raises(OutcomeUnknown):
            send("mastercard", a_request(provider, repeatable=True))
        assert len(provider.taken) - before == 1 + MAX_RETRIES

    @given(some.lists(some.booleans(), max_size=120))
    def test_retries_never_exceed_their_share(self, outages):
        outbound.reset()
        attempts = []

        def carry(request: Request) -> Response:
            attempts.append(request)
            return Response(503 if outage else 200)

        outbound.set_transport(carry)
        for calls, outage in enumerate(outages, start=1):
            try:
                send("wallet", Request("GET", "https://provider.example/", repeatable=True))
            except OutcomeUnknown:
                assert outage
            retries = len(attempts) - calls
            assert retries * CALLS_PER_RETRY <= calls + RETRY_RESERVE * CALLS_PER_RETRY


class TestTransport:
    @pytest.mark.parametrize(
        "status", [100, 301, 408, 429, 500, 599], ids=lambda status: f"status {status}"
    )
    def test_a_replaced_transport_is_judged_as_the_network_is(self, status):
        outbound.set_transport(lambda request: Response(status))
        with pytest.raises(OutcomeUnknown):
            send("wallet", Request("GET", "https://provider.example/"))

    @pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError()])
    def test_a_transport_that_breaks_is_unknown(self, error):
        def breaking(request: Request) -> Response:
            raise error

        outbound.set_transport(breaking)
        with pytest.raises(OutcomeUnknown):
            send("wallet", Request("GET", "https://provider.example/"))


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        ["", "file:///etc/passwd", "ftp://host/", "//host/", "https:///path", "https://a:b@host/"],
    )
    def test_only_http_and_https_are_called(self, url):
        with pytest.raises(UnusableAddress):
            send("wallet", Request("GET", url))

    def test_a_deployed_stage_calls_https_only(self, monkeypatch, provider):
        request = a_request(provider)
        send("wallet", request)
        monkeypatch.setattr(outbound, "settings", lambda: _Prod)
        with pytest.raises(UnusableAddress):
            send("wallet", request)
        assert len(provider.taken) == 1

    def test_P16_a_server_that_cannot_show_a_certificate_gets_nothing(self, provider, tmp_path):
        # Given a server that made its own certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_own_certificate(tmp_path))
        provider.socket = context.wrap_socket(
            provider.socket, server_side=True, do_handshake_on_connect=False
        )
        # When it is called, then it is not told anything
        url = f"https://127.0.0.1:{provider.server_port}/refunds/rfd_1"
        with pytest.raises(OutcomeUnknown):
            send("wallet", a_request(provider, url=url, repeatable=True))
        assert provider.taken == []

    def test_tests_start_on_a_local_stage(self):
        assert settings().stage == "local"


class _Prod:
    stage = "prod"


def _own_certificate(folder) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "own.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return str(path)
