"""A stall: a verified artisan of an open region, with a bowl on the table, and their links."""

from typing import Any

from chalicelib.artisans import tables as artisan_tables
from chalicelib.artisans.domain import ArtisanStatus
from chalicelib.payments import link_sales, links
from chalicelib.payments.domain import Method
from chalicelib.payments.link_domain import Link, LinkWish
from chalicelib.payments.link_sales import Begun, Paying
from tests.aws import Answered, Api
from tests.factories.artisans import a_registration, an_artisan
from tests.factories.orders import BOWL, OWNER, open_shop

PRICE = 24_990
AMOUNT = {"amount_minor": PRICE, "currency": "MAD"}
LINKS = "/v1/me/payment-links"


def open_stall(api: Api, bowls: int = 5, **registration: Any) -> None:
    """Everything that an artisan needs to sell face to face."""
    open_shop({BOWL: bowls})
    body = a_registration(town="Fès", **registration)
    answered = api.post("/v1/artisans", body, token=api.artisan)
    assert answered.status == 201, answered.text
    verified = api.post(f"/v1/operator/artisans/{OWNER}/verify", {}, token=api.operator)
    assert verified.status == 200, verified.text


def open_stall_quietly(bowls: int = 5) -> None:
    """The same without HTTP."""
    open_shop({BOWL: bowls})
    artisan_tables.add(an_artisan(artisan_id=OWNER, status=ArtisanStatus.VERIFIED))


def ask_for_link(api: Api, body: Any = None, key: str = "link-1", **options: Any) -> Answered:
    given = {"token": api.artisan} | options
    headers = {"Idempotency-Key": key} | given.pop("headers", {})
    return api.post(LINKS, body or {"amount": AMOUNT}, headers=headers, **given)


def make_link(api: Api, body: Any = None, key: str = "link-1") -> Any:
    """A link as its artisan sees it."""
    answered = ask_for_link(api, body, key)
    assert answered.status == 201, answered.text
    return answered.json


def own(api: Api, link: Any) -> Any:
    return api.get(f"{LINKS}/{link['id']}", token=api.artisan).json


def code_in(link: Any) -> str:
    return str(link["url"]).rpartition("/")[2]


def begin(api: Api, link: Any, method: str = "card", key: str = "pay-1", **body: Any) -> Answered:
    """A tourist's phone begins to pay."""
    return api.post(
        f"/v1/payment-links/{code_in(link)}/payments",
        {"payment_method": method} | body,
        headers={"Idempotency-Key": key},
    )


def made(key: str = "link-1", **wish: Any) -> Link:
    """A link without HTTP."""
    return links.make_link(OWNER, key, LinkWish(**wish))[0]


def pay(link: Link, method: Method = Method.CARD, language: str = "en") -> Begun:
    return link_sales.pay(link.code, Paying(method, language))
