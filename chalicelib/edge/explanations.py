"""What each refusal's code means: collected from the classes, for `/v1/errors` and the document."""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.edge.problems import status_of
from chalicelib.errors import MarketplaceError

INTERNAL_ERROR = "We failed. Nothing was lost; repeat the request with the same key."
METHOD_NOT_ALLOWED = "The address exists but does not answer this method; see `Allow`."


@dataclass(frozen=True, slots=True)
class Explanation:
    code: str
    status: int
    text: str


def explanations() -> dict[str, Explanation]:
    """Every code that an answer of this process may carry, in the order of the alphabet."""
    own = [
        Explanation("internal_error", 500, INTERNAL_ERROR),
        Explanation("method_not_allowed", 405, METHOD_NOT_ALLOWED),
    ]
    refusals = [
        Explanation(kind.code, status_of(kind), " ".join((kind.__doc__ or "").split()))
        for kind in refusal_kinds(MarketplaceError)
        if "code" in vars(kind)  # one that only adds a constructor shares its parent's code
    ]
    return {each.code: each for each in sorted(own + refusals, key=lambda each: each.code)}


def refusal_kinds(parent: type[MarketplaceError]) -> Iterator[type[MarketplaceError]]:
    for kind in parent.__subclasses__():
        yield kind
        yield from refusal_kinds(kind)
