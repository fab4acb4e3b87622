"""What a view answers, when a bare model is not enough."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from chalicelib.errors import BadRequest

JSON, PDF = "application/json", "application/pdf"


class NotAcceptable(BadRequest):
    """The answer is a file of another type than the `Accept` header asks for."""

    code = "not_acceptable"


@dataclass(frozen=True, slots=True)
class Reply:
    """A body (a model, or text or bytes as they are), a status (0: the route's own), headers."""

    body: BaseModel | str | bytes
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON

    def text(self) -> str:
        assert not isinstance(self.body, bytes)
        return self.body if isinstance(self.body, str) else self.body.model_dump_json()

    def content(self) -> str | bytes:
        return self.body if isinstance(self.body, bytes) else self.text()


def check_accepts(media: str, headers: Mapping[str, str]) -> None:
    """The gateway turns bytes into a file for those only whose `Accept` begins with its type.

    Raises:
        NotAcceptable
    """
    if not headers.get("accept", "").strip().lower().startswith(media):
        raise NotAcceptable(f"send `Accept: {media}`", param="Accept")
