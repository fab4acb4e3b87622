"""What a link may ask for, what both sides see of it, and the page that a tourist reads."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from string import Template
from typing import Any

import pytest

from chalicelib.config import settings
from chalicelib.listings.domain import Seller
from chalicelib.money import Money
from chalicelib.orders.domain import OrderState
from chalicelib.payments import link_pages
from chalicelib.payments.link_domain import (
    CODE_LENGTH,
    LIVES,
    AmountNotAllowed,
    AmountOrListing,
    Link,
    LinkNotPayable,
    LinkStatus,
    LinkWish,
    check_open,
    check_wish,
    code_of,
    status_of,
)
from chalicelib.payments.link_pages import Visit
from chalicelib.payments.link_texts import TEXTS
from tests.factories.orders import BOWL, OWNER, PLACED_AT, an_order

LINK_ID = "lnk_" + "k" * 24


def a_link(**changes: Any) -> Link:
    content: dict[str, Any] = {
        "link_id": LINK_ID,
        "artisan_id": OWNER,
        "seller": Seller("Atelier Tester", "Fès"),
        "region": "MA-03",
        "titles": {"und": "Plat"},
        "unit_price": Money(24_990),
        "fingerprint": "f",
        "created_at": PLACED_AT,
        "expires_at": PLACED_AT + LIVES,
    }
    return Link(**(content | changes))


class TestWish:
    @pytest.mark.parametrize(
        "wish",
        [
            LinkWish(amount=Money(100)),
            LinkWish(amount=Money(10_000_000), title="Plat"),
            LinkWish(listing_id=BOWL),
            LinkWish(listing_id=BOWL, quantity=2, variant="blue"),
        ],
    )
    def test_an_amount_or_a_listing_is_good(self, wish: LinkWish) -> None:
        check_wish(wish)

    @pytest.mark.parametrize(
        "wish",
        [
            LinkWish(),
            LinkWish(title="Plat"),
            LinkWish(amount=Money(100), listing_id=BOWL),
            LinkWish(amount=Money(100), quantity=1),
            LinkWish(amount=Money(100), variant="blue"),
            LinkWish(listing_id=BOWL, title="Plat"),
        ],
    )
    def test_both_or_neither_is_refused(self, wish: LinkWish) -> None:
        with pytest.raises(AmountOrListing):
            check_wish(wish)

    @pytest.mark.parametrize("amount", [Money(99), Money(0), Money(-100), Money(10_000_001)])
    def test_an_amount_out_of_bounds_is_refused(self, amount: Money) -> None:
        with pytest.raises(AmountNotAllowed):
            check_wish(LinkWish(amount=amount))

    def test_another_currency_is_refused(self) -> None:
        with pytest.raises(AmountNotAllowed):
            check_wish(LinkWish(amount=Money(10_000, "EUR")))


def test_the_code_is_fifty_bits_of_the_id() -> None:
    assert code_of(LINK_ID) == "k" * CODE_LENGTH
    assert code_of("nonsense") == ""


DAY_AFTER = PLACED_AT + LIVES


@pytest.mark.parametrize(
    ("state", "cancelled", "now", "status"),
    [
        (None, False, PLACED_AT, "open"),
        (None, False, DAY_AFTER - timedelta(milliseconds=1), "open"),
        (None, False, DAY_AFTER, "expired"),
        (None, True, PLACED_AT, "cancelled"),
        (None, True, DAY_AFTER, "cancelled"),
        (OrderState.AWAITING_PAYMENT, False, PLACED_AT, "paying"),
        (OrderState.AWAITING_PAYMENT, False, DAY_AFTER, "paying"),
        (OrderState.PAID, False, PLACED_AT, "paid"),
        (OrderState.PAID, True, DAY_AFTER, "paid"),  # money tells more than anybody's wish
        (OrderState.EXPIRED, False, PLACED_AT, "open"),
        (OrderState.EXPIRED, False, DAY_AFTER, "expired"),
        (OrderState.EXPIRED, True, PLACED_AT, "cancelled"),
        (OrderState.CANCELLED, False, PLACED_AT, "open"),
    ],
)
def test_the_status_follows_from_the_order(
    state: OrderState | None, cancelled: bool, now: Any, status: str
) -> None:
    link = a_link(cancelled_at=PLACED_AT if cancelled else None)
    order = an_order(state=state) if state else None
    assert status_of(link, order, now) == status


@pytest.mark.parametrize(
    ("link", "now"),
    [(a_link(cancelled_at=PLACED_AT), PLACED_AT), (a_link(), DAY_AFTER)],
    ids=["cancelled", "expired"],
)
def test_only_an_open_link_is_paid(link: Link, now: Any) -> None:
    with pytest.raises(LinkNotPayable):
        check_open(link, now)
    check_open(a_link(), PLACED_AT)


def test_a_free_amount_is_a_line_of_its_own_that_nothing_is_counted_of() -> None:
    line = a_link().line("Plat")
    assert (line.line_id, line.from_stock, line.goods_minor) == (LINK_ID, False, 24_990)
    of_listing = a_link(listing_id=BOWL, quantity=2, variant="blue").line("Bol")
    assert (of_listing.line_id, of_listing.from_stock) == (f"{BOWL}:blue", True)
    assert of_listing.made_to_order_days is None


class _Page(HTMLParser):
    """What of a page is a tag, an attribute or a text, as a browser would see it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(content: str, language: str = "en") -> _Page:
    return _Page(link_pages._page(Visit("k" * 10, language), content).html)


class TestPage:
    NASTY = "<script>alert(1)</script>\"'&<b onclick=x>"

    def test_the_texts_are_there_in_every_language(self) -> None:
        names = {language: set(texts) for language, texts in TEXTS.items()}
        assert names["ar"] == names["fr"] == names["en"]
        assert all(text for texts in TEXTS.values() for text in texts.values())

    @pytest.mark.parametrize("language", TEXTS)
    def test_what_an_artisan_writes_is_text_and_nothing_else(self, language: str) -> None:
        visit = Visit("k" * 10, language)
        link = a_link(seller=Seller(self.NASTY, self.NASTY), titles={"und": self.NASTY})
        shown = page(link_pages._bill(link, visit), language)
        assert shown.text.count(self.NASTY) == 3
        assert not {tag for tag, _ in shown.tags} & {"script", "img", "iframe", "object"}
        assert not any(name.startswith("on") for _, attrs in shown.tags for name in attrs)

    def test_a_provider_s_fields_are_values_and_nothing_else(self) -> None:
        form = link_pages._form("https://bank.example.ma/a?b=1&c=2", {"oid": self.NASTY},
                                Visit("k" * 10, "fr"))  # fmt: skip
        shown = page(form)
        [hidden] = [attrs for tag, attrs in shown.tags if tag == "input"]
        assert hidden == {"type": "hidden", "name": "oid", "value": self.NASTY}
        [action] = [attrs for tag, attrs in shown.tags if tag == "form"]
        assert action["action"] == "https://bank.example.ma/a?b=1&c=2"

    @pytest.mark.parametrize(
        ("language", "direction"), [("ar", "rtl"), ("fr", "ltr"), ("en", "ltr")]
    )
    def test_arabic_reads_from_right_to_left(self, language: str, direction: str) -> None:
        [html] = [attrs for tag, attrs in page("", language).tags if tag == "html"]
        assert html == {"lang": language, "dir": direction}

    @pytest.mark.parametrize(
        ("minor", "language", "text"),
        [
            (100, "en", "1.00"),
            (124_990, "en", "1,249.90"),
            (10_000_000, "fr", "100\u202f000,00"),
            (24_990, "ar", "249,90"),
        ],
    )
    def test_amounts_are_written_as_people_write_them(
        self, minor: int, language: str, text: str
    ) -> None:
        assert f">{text}</bdi>" in link_pages._amount(Money(minor), Visit("k" * 10, language))

    @pytest.mark.parametrize(
        ("wanted", "preferred", "language"),
        [("ar", "en", "ar"), (None, "en", "en"), ("xx", "ar", "ar"), (None, "zgh", "fr")],
    )
    def test_the_language_is_the_one_chosen_or_the_reader_s_or_french(
        self, wanted: str | None, preferred: str, language: str
    ) -> None:
        assert link_pages.language_of(wanted, preferred) == language

    def test_the_policy_admits_its_own_style_and_forms_to_the_providers_only(self) -> None:
        policy = dict(
            part.split(" ", 1)
            for part in link_pages.headers()["Content-Security-Policy"].split("; ")
        )
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert "script-src" not in policy
        targets = policy["form-action"].split()
        assert targets[0] == "'self'"
        given = settings()
        for address in (
            given.cmi_gateway_url, given.wallet_url, given.mastercard_gateway_url,
            given.payzone_paywall_url,
        ):  # fmt: skip
            assert any(address.startswith(target) for target in targets[1:]), address
        assert all(re.fullmatch(r"https?://[a-z0-9.:-]+", target) for target in targets[1:])

    def test_the_page_loads_nothing_and_has_no_style_outside_its_own(self) -> None:
        html = link_pages.PAGE_FILE.read_text(encoding="utf-8")
        assert Template(html).is_valid()
        shown = _Page(html)
        assert not {tag for tag, _ in shown.tags} & {"script", "link", "img"}
        assert not any({"style", "src"} & set(attrs) for _, attrs in shown.tags)

    def test_it_is_light_enough_for_a_slow_phone(self) -> None:
        visit = Visit("k" * 10, "ar")
        content = link_pages._bill(a_link(), visit) + link_pages._ways(visit)
        assert len(link_pages._page(visit, content).html.encode()) < 12_000

    @pytest.mark.parametrize("status", [LinkStatus.EXPIRED, LinkStatus.CANCELLED])
    def test_what_is_over_says_that_nothing_was_charged(self, status: LinkStatus) -> None:
        for texts in TEXTS.values():
            assert texts[status]
            assert texts[f"{status}_hint"]
