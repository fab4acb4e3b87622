"""A small storefront for the local stack: one page that speaks the public API, and its drawings.

It is served beside the API, never by it: deployed, a storefront is somebody else's program.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.config import settings
from infra.local.gateway import HttpAnswer, HttpRequest, problem

PAGE_FILE = Path(__file__).with_name("storefront.html")
ORDER_PAGES = "/orders/"
IMAGES = "/_local/images/"
_INLINE = re.compile(rb"<(script|style)>(.*?)</\1>", re.DOTALL)

Draw = Callable[[str], str | None]
Headers = tuple[tuple[str, str], ...]


class Storefront:
    """Answers `/`, `/orders/{order_id}` (where payment pages lead back to) and the drawings."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def answers(self, path: str) -> bool:
        return path == "/" or path.startswith((ORDER_PAGES, IMAGES))

    def answer(self, request: HttpRequest) -> HttpAnswer:
        if request.method not in ("GET", "HEAD"):
            detail = "This address answers GET."
            return problem(405, "method_not_allowed", detail, (("Allow", "GET"),))
        if request.path.startswith(IMAGES):
            return self._image(request.path.removeprefix(IMAGES))
        if _is_localhost(request):
            return _to_own_address(request)
        # Read each time: whoever works on the page only reloads it.
        page = PAGE_FILE.read_bytes()
        return HttpAnswer(200, _headers("text/html; charset=utf-8", policy_of(page)), page)

    def _image(self, name: str) -> HttpAnswer:
        drawing = self._draw(name.removesuffix(".svg")) if name.endswith(".svg") else None
        if drawing is None:
            return problem(404, "not_found", "There is no such drawing.")
        policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        kept = (("Cache-Control", "public, max-age=3600"), ("Access-Control-Allow-Origin", "*"))
        return HttpAnswer(200, _headers("image/svg+xml", policy) + kept, drawing.encode())


def policy_of(page: bytes) -> str:
    """The Content-Security-Policy of a page: its own inline code, its own host, nothing else."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, code in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(code).digest()).decode()
        hashes[kind.decode()].append(f"'sha256-{digest}'")
    return (
        f"default-src 'none'; script-src {' '.join(hashes['script'])};"
        f" style-src {' '.join(hashes['style'])}; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _headers(media: str, policy: str) -> Headers:
    return (
        ("Content-Type", media),
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    )


def _is_localhost(request: HttpRequest) -> bool:
    return request.header("host").partition(":")[0].lower() == "localhost"


def _to_own_address(request: HttpRequest) -> HttpAnswer:
    """To a browser, localhost is another site than 127.0.0.1, where the payment page leads back."""
    own = urlsplit(settings().storefront_url)
    return HttpAnswer(307, (("Location", f"{own.scheme}://{own.netloc}{request.target}"),))
