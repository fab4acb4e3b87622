"""Routes as they were declared: what requests are read by, and the document is made from."""

from dataclasses import dataclass

from pydantic import BaseModel

from chalicelib.edge.auth import Access
from chalicelib.edge.idempotency import KeyUse
from chalicelib.edge.rates import Rate

MAX_BODY_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Operation:
    """A route as declared: what the OpenAPI document and the access matrix are made from."""

    name: str
    method: str
    path: str
    access: Access
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: int
    summary: str
    key: KeyUse
    media: tuple[str, ...]
    answer_media: str
    cached_seconds: int
    failure_text: str = ""
    feature: str = ""
    description: str = ""
    max_bytes: int = MAX_BODY_BYTES
    rate: Rate | None = None


OPERATIONS: list[Operation] = []
