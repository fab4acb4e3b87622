"""HTTP/1.1 in front of a function from request to answer: threads, keep-alive, one write each."""

import contextlib
import errno
import logging
import re
import socket
import socketserver
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local.environment import CannotStart
from infra.local.gateway import (
    MAX_BODY_BYTES,
    AnswerLost,
    HttpAnswer,
    HttpRequest,
    problem,
)

IDLE_SECONDS = 65  # API Gateway's keep-alive is 60.
MAX_CHUNK_LINE = 1024
MAX_DISCARDED_BYTES = 32 * 1024 * 1024

Answerer = Callable[[HttpRequest], HttpAnswer]
_HEX = re.compile(rb"[0-9a-fA-F]{1,8}")
_METHOD = re.compile(r"[A-Z]{1,20}")

logger = logging.getLogger("maalem.local")


class Refused(Exception):
    """The request cannot be read; the connection is closed after the answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.answer = problem(status, code, detail)


class _Connection(BaseHTTPRequestHandler):
    """One connection. Reads requests one after the other until either side closes."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Headers and body go out in one write: two of them meet Nagle's algorithm and the client's
    # delayed acknowledgement, which costs 44 ms on every kept-alive request.
    disable_nagle_algorithm = True
    server: "LocalServer"

    def handle(self) -> None:
        # The client may go away at any time.
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()

    def __getattr__(self, name: str) -> Any:
        # The base class looks for do_GET and so on; every method is answered the same way.
        if name.startswith("do_"):
            return self._respond
        raise AttributeError(name)

    def _respond(self) -> None:
        try:
            request = self._read_request()
        except Refused as refusal:
            self.close_connection = True
            self._send(refusal.answer)
            self._discard_rest()
            return
        try:
            answer = self.server.answerer(request)
        except AnswerLost:
            self.close_connection = True
            return
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            answer = problem(500, "internal_error", "The local server failed; see stderr.")
        self._send(answer)

    def _read_request(self) -> HttpRequest:
        if self.request_version != "HTTP/1.1" and self.request_version != "HTTP/1.0":
            raise Refused(400, "bad_request", "Speak HTTP/1.1.")
        if not _METHOD.fullmatch(self.command):
            raise Refused(400, "bad_request", "The method is not an HTTP method.")
        if self.headers.defects:
            raise Refused(400, "bad_request", "A header line is malformed.")
        if not self.path.startswith("/") or not self.path.isascii():
            raise Refused(400, "bad_request", "The address must be a path that starts with /.")
        if self.request_version == "HTTP/1.1" and len(self.headers.get_all("host", [])) != 1:
            raise Refused(400, "bad_request", "Send one Host header.")
        return HttpRequest(
            self.command,
            self.path,
            tuple(self.headers.items()),
            self._read_body(),
            self.client_address[0],
        )

    def _read_body(self) -> bytes:
        lengths = self.headers.get_all("content-length", [])
        coding = self.headers.get("transfer-encoding")
        if coding is not None:
            if lengths:
                raise Refused(400, "bad_request", "Send Content-Length or chunks, not both.")
            if coding.strip().lower() != "chunked":
                raise Refused(501, "not_implemented", "The only transfer coding is chunked.")
            self._continue()
            return self._read_chunks()
        if not lengths:
            return b""
        length = lengths[0].strip()
        if len(set(lengths)) > 1 or not (length.isascii() and length.isdigit()):
            raise Refused(400, "bad_request", "Content-Length must be one whole number.")
        if len(length) > 10 or int(length) > MAX_BODY_BYTES:
            raise Refused(413, "body_too_large", "Send at most 10 MB.")
        self._continue()
        return self._read_exactly(int(length))

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            size_text = self._read_line().partition(b";")[0].strip()
            if not _HEX.fullmatch(size_text):
                raise Refused(400, "bad_request", "A chunk's size must be hexadecimal.")
            size = int(size_text, 16)
            if len(body) + size > MAX_BODY_BYTES:
                raise Refused(413, "body_too_large", "Send at most 10 MB.")
            if size == 0:
                break
            body += self._read_exactly(size)
            if self._read_line():
                raise Refused(400, "bad_request", "A chunk is longer than it says.")
        for _ in range(100):
            if not self._read_line():
                return bytes(body)
        raise Refused(400, "bad_request", "There are too many trailers.")

    def _read_line(self) -> bytes:
        line = self.rfile.readline(MAX_CHUNK_LINE + 1)
        if not line.endswith(b"\n"):
            raise Refused(400, "bad_request", "The body ends before its last chunk.")
        return line.rstrip(b"\r\n")

    def _read_exactly(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) < length:
            raise Refused(400, "bad_request", "The body is shorter than it says.")
        return body

    def handle_expect_100(self) -> bool:
        return True  # Said by `_continue`, once the length is known to be acceptable.

    def _continue(self) -> None:
        if self.headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class says about a request line or headers that it cannot parse."""
        self.close_connection = True
        status = code if code in (414, 431, 505) else 400
        name = {414: "uri_too_long", 431: "headers_too_large", 505: "version_not_supported"}
        self._send(problem(status, name.get(status, "bad_request"), "The request is malformed."))
        self._discard_rest()

    def _send(self, answer: HttpAnswer) -> None:
        # A line that could not be parsed leaves these unset.
        method = getattr(self, "command", None) or ""
        if getattr(self, "request_version", "HTTP/1.1") == "HTTP/1.0":
            self.close_connection = True
        has_body = answer.status not in (204, 304) and answer.status >= 200
        lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
        lines += [f"{name}: {_one_line(value)}" for name, value in answer.headers]
        lines.append(f"Date: {formatdate(usegmt=True)}")
        if has_body:
            lines.append(f"Content-Length: {len(answer.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        self.wfile.write(head + answer.body if has_body and method != "HEAD" else head)

    def _discard_rest(self) -> None:
        """Read what is still coming; closing at once would reset the connection, answer and all."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(1)
            left = MAX_DISCARDED_BYTES
            while left > 0 and (read := len(self.connection.recv(65536))):
                left -= read
        except OSError:
            pass  # The client is gone already.

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


class LocalServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1 only."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int, answerer: Answerer) -> None:
        self.answerer = answerer
        try:
            super().__init__(("127.0.0.1", port), _Connection)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CannotStart(
                    f"Port {port} is in use: stop what listens there,"
                    " or choose another, such as PORT=8010."
                ) from error
            if error.errno == errno.EACCES:
                raise CannotStart(f"Port {port} is reserved: choose one above 1023.") from error
            raise

    def server_bind(self) -> None:
        # HTTPServer would look its own name up in DNS, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.exception("connection from %s failed", client_address)
