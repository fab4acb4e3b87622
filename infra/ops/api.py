"""The marketplace's own HTTP API, as an operator uses it; refusals become sentences."""

import json
import uuid
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import httpx

from infra.ops.errors import OpsFailed
from infra.ops.masking import masked_text
from infra.ops.target import Target

TIMEOUT_SECONDS = 60
PAGE = 100

EXPLAINED = {
    "four_eyes_required": "A batch of this size takes two people: ask another operator to approve"
    " it. You may look at it and cancel it.",
    "batch_not_complete": "The batch is still being drafted: look again in a minute.",
    "batch_not_approved": "Approve the batch first: payouts approve ID.",
    "illegal_batch_move": "The batch is past this step: look at it with payouts show ID.",
    "payout_file_taken": "Its file was handed out, so the bank may pay it: let the bank answer.",
    "idempotency_mismatch": "This key was used for something else: leave --key out.",
    "unauthorized": "The token is missing or has ended: get a new one and set MAALEM_OPS_TOKEN.",
    "forbidden": "The token is not an operator's: use one of the group operators.",
}
"""What to do, where the problem's own words do not say it."""


class Refused(OpsFailed):
    """The API refused; `code` is the problem's."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class OutcomeUnknown(OpsFailed):
    """No answer came: whether it was done is not known."""


class OperatorApi:
    """Calls with an operator's token. A POST has its key, which makes a repeat harmless."""

    def __init__(self, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        self.target = target
        self._http = httpx.Client(
            base_url=target.url,
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,
            verify=not target.is_local,  # There is no TLS to be checked, and no time to lose.
        )
        self._token = target.token

    def __enter__(self) -> "OperatorApi":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of an answer."""
        given = {name: value for name, value in query.items() if value is not None}
        return _read(self._call("GET", path, params=given))

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Everything in a list, page by page."""
        cursor = None
        while True:
            page = self.get(path, **{"limit": PAGE, **query, "cursor": cursor})
            yield from page["data"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def post(self, path: str, body: Any = None, key: str | None = None) -> Any:
        key = key or uuid.uuid4().hex
        return _read(self._change(path, key, json={} if body is None else body))

    def post_file(self, path: str, content: bytes, media: str, key: str, **query: Any) -> Any:
        """Send a file as it is; the same key again gets the same answer."""
        given = {name: value for name, value in query.items() if value is not None}
        headers = {"Content-Type": media}
        return _read(self._change(path, key, content=content, params=given, headers=headers))

    def download(self, path: str, **query: Any) -> bytes:
        """A file's bytes, also where the API answers with an address of it."""
        answer = self._call("GET", path, params=query)
        if answer.status_code != httpx.codes.SEE_OTHER:
            return answer.content
        stored = self._send("GET", answer.headers["location"], without_token=True)
        if not stored.is_success:
            raise OpsFailed("The file could not be fetched from its address: ask for it again.")
        return stored.content

    def local(self, path: str) -> Any:
        """What only the local server answers."""
        return _read(self._send("GET", path, without_token=True))

    def _change(self, path: str, key: str, **options: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key, **options.pop("headers", {})}
        try:
            return self._call("POST", path, headers=headers, **options)
        except OutcomeUnknown as unknown:
            raise OutcomeUnknown(
                f"{unknown} Whether it was done is not known. Look first, then repeat it with"
                f" --key {key}: that does it once at most."
            ) from unknown

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self._send(method, path, **options)
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            raise _refusal(answer)
        return answer

    def _send(
        self, method: str, path: str, *, without_token: bool = False, **options: Any
    ) -> httpx.Response:
        headers: dict[str, str] = {"Accept-Language": "en", **options.pop("headers", {})}
        if not without_token:
            headers["Authorization"] = f"Bearer {self._operator_token()}"
        try:
            return self._http.request(method, path, headers=headers, **options)
        except httpx.ConnectError as error:
            raise OpsFailed(f"Nothing answers at {self.target.url}. {self.target.hint}") from error
        except httpx.HTTPError as error:
            name = type(error).__name__
            raise OutcomeUnknown(f"{self.target.url} did not answer ({name}).") from error

    def _operator_token(self) -> str:
        if not self._token:
            found = self.local(f"/_local/tokens?operator={self.target.operator}")
            self._token = str(found["operator"])
        return self._token


def _read(answer: httpx.Response) -> Any:
    try:
        return answer.json() if answer.content else {}
    except json.JSONDecodeError as error:
        raise OpsFailed("The answer is no JSON: is this address the marketplace's?") from error


def _refusal(answer: httpx.Response) -> Refused:
    problem = _problem(answer)
    code = str(problem.get("code", "unknown"))
    said = [str(problem.get("detail") or problem.get("title") or "It was refused.")]
    said += [f"{one.get('param')}: {one.get('detail')}." for one in problem.get("errors") or []]
    if code in EXPLAINED:
        said.append(EXPLAINED[code])
    text = masked_text(" ".join(_sentence(part) for part in said))
    request = problem.get("request_id")
    told = f"{text} ({answer.status_code} {code}{f', request {request}' if request else ''})"
    return Refused(answer.status_code, code, told)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
