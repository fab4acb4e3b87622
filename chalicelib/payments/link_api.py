"""Selling face to face: the artisan's payment links, and what the tourist's phone calls and shows.

The tourist has no account and the page no script: it is a form, answered by a page or by the way to
the provider's.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from chalicelib.edge import problems
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.idempotency import REPLAYED, KeyUse
from chalicelib.edge.pages import Page, cursor_of, key_of
from chalicelib.edge.replies import Reply
from chalicelib.edge.schemas import Nothing
from chalicelib.errors import MarketplaceError
from chalicelib.locales import text_in
from chalicelib.orders.service import order_token_of
from chalicelib.payments import link_pages, link_sales, links
from chalicelib.payments.domain import Method
from chalicelib.payments.link_domain import LinkStatus, SeenLink, UnknownLink
from chalicelib.payments.link_pages import Shown, Visit
from chalicelib.payments.link_sales import Paying
from chalicelib.payments.link_schemas import (
    LinkPageQuery,
    LinkSummary,
    LinkView,
    MyLinksQuery,
    PayLinkBody,
    PaymentLinkBody,
    PublicLinkView,
    merchant_of,
)
from chalicelib.payments.schemas import PaymentView
from chalicelib.problem_titles import TITLES

HTML = "text/html"
FORM = "application/x-www-form-urlencoded"
MAX_FORM_FIELDS = 200
payment_links = FeatureBlueprint(__name__)


@payment_links.route(
    "/v1/me/payment-links",
    method="POST",
    access=Access.ARTISAN,
    body=PaymentLinkBody,
    answer=LinkView,
    status=201,
    key=KeyUse.OWN,
    summary="A link to be paid at once, face to face: for an amount, or pieces of a listing",
)
def make_payment_link(call: Call[PaymentLinkBody, None]) -> Reply:
    wish = call.body.to_domain()
    link, is_replayed = links.make_link(call.caller.artisan_id, call.idempotency_key, wish)
    view = _view(SeenLink(link, None, LinkStatus.OPEN), call)
    return Reply(view, headers=REPLAYED if is_replayed else {})


def _view(seen: SeenLink, call: Call[Any, Any]) -> LinkView:
    return LinkView.of(seen, links.url_of(seen.link), call.language)


@payment_links.route(
    "/v1/me/payment-links",
    access=Access.ARTISAN,
    query=MyLinksQuery,
    answer=Page[LinkSummary],
    summary="The caller's payment links, the newest first, as they are now",
)
def list_payment_links(call: Call[None, MyLinksQuery]) -> Page[LinkSummary]:
    owner = call.caller.artisan_id
    start = key_of(call.query.cursor, owner)
    found, last = links.own_links(owner, call.query.limit, start)
    shown = [LinkSummary.of(seen, links.url_of(seen.link), call.language) for seen in found]
    return Page(data=shown, next_cursor=cursor_of(last, owner))


@payment_links.route(
    "/v1/me/payment-links/{link_id}",
    access=Access.ARTISAN,
    answer=LinkView,
    summary="A payment link as it is now: ask again until it is paid",
)
def show_payment_link(call: Call[None, None]) -> LinkView:
    return _view(links.own_link(call.path["link_id"], call.caller.artisan_id), call)


@payment_links.route(
    "/v1/me/payment-links/{link_id}/cancel",
    method="POST",
    access=Access.ARTISAN,
    body=Nothing,
    answer=LinkView,
    summary="Take a payment link back, unless it is paid",
)
def cancel_payment_link(call: Call[Nothing, None]) -> LinkView:
    return _view(link_sales.cancel_link(call.path["link_id"], call.caller.artisan_id), call)


@payment_links.route(
    "/v1/payment-links/{code}",
    access=Access.PUBLIC,
    answer=PublicLinkView,
    summary="What is sold by a link, and whether it is paid",
)
def read_payment_link(call: Call[None, None]) -> PublicLinkView:
    seen = links.link_by_code(call.path["code"])
    token = order_token_of(seen.order.order_id) if seen.order else ""
    return PublicLinkView.of(seen, links.url_of(seen.link), call.language, token)


@payment_links.route(
    "/v1/payment-links/{code}/payments",
    method="POST",
    access=Access.PUBLIC,
    body=PayLinkBody,
    answer=PaymentView,
    status=201,
    key=KeyUse.KEPT_REQUIRED,
    summary="Begin to pay a link, or go on: the answer says what to do next",
)
def pay_payment_link(call: Call[PayLinkBody, None]) -> PaymentView:
    body = call.body
    language = body.language or call.language
    paying = Paying(Method(body.payment_method), language, body.return_url)
    begun = link_sales.pay(call.path["code"], paying)
    return PaymentView.of(begun.payment, begun.order.buyer, merchant_of(begun.link.seller))


@payment_links.route(
    "/p/{code}",
    access=Access.PUBLIC,
    query=LinkPageQuery,
    answer_media=HTML,
    summary="The short address: the page on which a tourist pays",
)
def payment_link_page(call: Call[None, LinkPageQuery]) -> Reply:
    visit = _visit(call)
    return _page(call, visit, lambda: link_pages.show(visit))


@payment_links.route(
    "/p/{code}",
    method="POST",
    access=Access.PUBLIC,
    query=LinkPageQuery,
    media=(FORM,),
    answer_media=HTML,
    key=KeyUse.NONE,
    summary="A button of that page (`method=card`), or a card page that leads the buyer back",
)
def press_payment_link(call: Call[None, LinkPageQuery]) -> Reply:
    """Needs no `Idempotency-Key`: the same button again goes on with the same payment."""
    visit, pressed = _visit(call), _pressed(call.raw_body)
    return _page(call, visit, lambda: link_pages.press(visit, pressed, call.query.lang))


def _visit(call: Call[None, LinkPageQuery]) -> Visit:
    return Visit(
        code=call.path["code"],
        language=link_pages.language_of(call.query.lang, call.language),
        comes_back=call.query.payment is not None,
        wants_code=call.query.show == "qr",
    )


def _pressed(raw_body: bytes) -> str | None:
    """The button's method; None in a form that is not ours, such as CMI's on the way back."""
    try:
        fields = parse_qs(raw_body.decode(errors="replace"), max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        return None
    return fields.get("method", [None])[0]


def _page(call: Call[Any, Any], visit: Visit, make: Callable[[], Shown]) -> Reply:
    """A page; a refusal too, for whoever can read one. A program is told in its own words."""
    status = 0
    try:
        shown = make()
    except MarketplaceError as error:
        if HTML not in call.headers.get("accept", ""):
            raise
        named = None if isinstance(error, UnknownLink) else TITLES.get(error.code, {})
        title = None if named is None else text_in(named, visit.language)[0]
        shown, status = Shown(link_pages.refused(visit, title)), problems.status_of(type(error))
    headers = link_pages.headers() | {"Content-Language": visit.language}
    if shown.leads_to:
        headers["Location"], status = shown.leads_to, 303
    return Reply(shown.html, status, headers, f"{HTML}; charset=utf-8")
