"""What a view answers, when a bare model is not enough."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """A body (a model, or text as it is), a status (None: the route's own), headers."""

    body: BaseModel | str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON

    def text(self) -> str:
        return self.body if isinstance(self.body, str) else self.body.model_dump_json()
