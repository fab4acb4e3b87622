"""The page behind the short address: what is sold, how to pay, and that it is paid.

It has no script and loads nothing, so it is whole on a slow connection at once; while something is
awaited the browser asks for it again by itself. Its policy lets it post to itself and to the
payment providers, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from chalicelib import ids
from chalicelib.config import settings
from chalicelib.locales import text_in
from chalicelib.money import Money
from chalicelib.orders.domain import Order
from chalicelib.orders.service import order_token_of
from chalicelib.payments import actions, link_icons, link_sales, links, qr
from chalicelib.payments.actions import Qr, Redirect, RedirectForm
from chalicelib.payments.domain import Method, Payment
from chalicelib.payments.emv import Merchant
from chalicelib.payments.link_domain import METHODS, Link, LinkStatus, SeenLink
from chalicelib.payments.link_sales import Paying
from chalicelib.payments.link_texts import TEXTS

PAGE_FILE = Path(__file__).with_name("link_page.html")
FALLBACK_LANGUAGE = "fr"
LANGUAGE_NAMES = {"ar": "عربي", "fr": "Français", "en": "English"}
MAIN_METHODS = (Method.CARD, Method.WALLET, Method.WALLET_QR)
WAITING_SECONDS, PAYING_SECONDS = 3, 10
NOT_ENGLISH = str.maketrans({",": "\u202f", ".": ","})
CODE_ADDRESS, BACK_ADDRESS = "?show=qr", "?payment=back"


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody looks at a link's page; `comes_back` from a provider, or `wants_code`."""

    code: str
    language: str
    comes_back: bool = False
    wants_code: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A page, or (with `leads_to`) where to go instead."""

    html: str
    leads_to: str = ""


def language_of(wanted: str | None, preferred: str) -> str:
    """`?lang=`, else the reader's own, else French."""
    return next((each for each in (wanted, preferred) if each in TEXTS), FALLBACK_LANGUAGE)


def show(visit: Visit) -> Shown:
    """The page of a link as it is now.

    Raises:
        UnknownLink.
    """
    seen = links.link_by_code(visit.code)
    if seen.status is LinkStatus.PAYING:
        return _paying(seen, visit)
    if seen.status is LinkStatus.OPEN:
        return _page(visit, _bill(seen.link, visit) + _ways(visit))
    if seen.paid_order is not None:
        return _page(visit, _paid(seen.link, seen.paid_order, visit))
    icon = _state(str(seen.status), "bad", link_icons.BAD, visit)
    return _page(visit, icon + _bill(seen.link, visit))


def press(visit: Visit, pressed: str | None, chosen_language: str | None) -> Shown:
    """What a button of the page does: `pressed` is its method.

    What is none of our methods is a provider's page that leads the buyer back.

    Raises:
        UnknownLink, LinkAlreadyPaid, LinkNotPayable; what `link_sales.pay` raises.
    """
    if pressed not in METHODS:
        return Shown("", _address(BACK_ADDRESS, visit))
    chosen = f"?lang={visit.language}" if chosen_language else ""
    back = f"{settings().public_url}/p/{visit.code}{chosen}"
    begun = link_sales.pay(visit.code, Paying(Method(pressed), visit.language, back))
    merchant = Merchant(begun.link.seller.name, begun.link.seller.town)
    match actions.action_of(begun.payment, begun.order.buyer, merchant):
        case Redirect(url):
            return Shown("", url)
        case Qr():
            return Shown("", _address(CODE_ADDRESS, visit))
        case RedirectForm(url, fields):
            return _page(visit, _bill(begun.link, visit) + _form(url, fields, visit))
    state = _state("no_page", "bad", link_icons.BAD, visit)
    return _page(visit, state + _bill(begun.link, visit) + _ways(visit))


def refused(visit: Visit, title: str | None) -> str:
    """The page of a refusal; `title` says which, None where nothing is at this address."""
    if title is None:
        return _page(visit, _state("unknown", "bad", link_icons.BAD, visit)).html
    texts = TEXTS[visit.language]
    head = _head(title, texts["failed_hint"], "bad", link_icons.BAD)
    back = f'<a class="button plain" href="{_href(BACK_ADDRESS, visit)}">{texts["back"]}</a>'
    return _page(visit, head + back).html


def _paying(seen: SeenLink, visit: Visit) -> Shown:
    link, bill = seen.link, _bill(seen.link, visit)
    code = link_sales.open_payment(seen, Method.WALLET_QR) if visit.wants_code else None
    if code is not None:
        return _page(visit, bill + _code(link, code, visit), WAITING_SECONDS)
    if visit.comes_back and link_sales.is_declined(seen):
        state = _state("declined", "bad", link_icons.BAD, visit)
        return _page(visit, state + bill + _ways(visit))
    if visit.comes_back:
        state = _state("waiting", "wait", link_icons.WAIT, visit)
        ways = f"<details><summary>{TEXTS[visit.language]['other_way']}</summary>{_ways(visit)}"
        return _page(visit, f"{state}{bill}{ways}</details>", WAITING_SECONDS)
    state = _state("paying", "wait", link_icons.WAIT, visit)
    return _page(visit, state + bill + _ways(visit), PAYING_SECONDS)


def _bill(link: Link, visit: Visit) -> str:
    """Who is paid, what for, and how much."""
    title = text_in(link.titles, visit.language)[0]
    count = f'<bdi dir="ltr">{link.quantity} ×</bdi> ' if link.quantity > 1 else ""
    sold = f'<p>{count}<bdi dir="auto">{escape(title)}</bdi></p>' if title else ""
    return (
        f'<p class="who">{TEXTS[visit.language]["buying_from"]}'
        f'<b dir="auto">{escape(link.seller.name)}</b>'
        f'<span dir="auto">{escape(link.seller.town)}</span></p>'
        f'<section class="bill">{sold}<p class="sum">{_amount(link.amount, visit)}</p></section>'
    )


def _amount(amount: Money, visit: Visit) -> str:
    """As people write it: 1 249,90 in French and Arabic, 1,249.90 in English."""
    whole, _, cents = amount.decimal_text().partition(".")
    text = f"{int(whole):,}.{cents}"
    if visit.language != "en":
        text = text.translate(NOT_ENGLISH)
    return f'<bdi dir="ltr">{text}</bdi> <small>{TEXTS[visit.language]["currency"]}</small>'


def _ways(visit: Visit) -> str:
    """The buttons: card and wallet first, the other pages for cards behind a fold."""
    texts = TEXTS[visit.language]
    icons = {
        Method.CARD: link_icons.CARD,
        Method.WALLET: link_icons.WALLET,
        Method.WALLET_QR: link_icons.QR,
    }
    shown = "".join(
        f'<button name="method" value="{way}"{_main(way)}>{icons[way]}<span><b>{texts[way]}</b>'
        f"<small>{texts[f'{way}_hint']}</small></span></button>"
        for way in MAIN_METHODS
    )
    others = "".join(
        f'<button class="plain" name="method" value="{way}">{texts[way]}</button>'
        for way in METHODS
        if way not in MAIN_METHODS
    )
    return (
        f'<form method="post"><h2>{texts["how"]}</h2>{shown}'
        f"<details><summary>{texts['more']}</summary>{others}</details></form>"
        f'<p class="note">{texts["safe"]}</p>'
    )


def _main(way: Method) -> str:
    return ' class="main"' if way is Method.CARD else ""


def _form(url: str, fields: dict[str, str], visit: Visit) -> str:
    """A form that the buyer posts to the provider by pressing its one button."""
    texts = TEXTS[visit.language]
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    return (
        f'<form method="post" action="{escape(url)}">{hidden}'
        f'<button class="main">{link_icons.CARD}<span><b>{texts["continue"]}</b>'
        f"<small>{texts['continue_hint']}</small></span></button></form>"
        f'<a class="button plain" href="{_href("?", visit)}">{texts["back"]}</a>'
    )


def _code(link: Link, payment: Payment, visit: Visit) -> str:
    """The wallet's code, large; on the wallet's own phone a button does instead."""
    texts = TEXTS[visit.language]
    merchant = Merchant(link.seller.name, link.seller.town)
    drawn = qr.svg_of(actions.wallet_code(payment, merchant), texts["scan"])
    wallet = escape(actions.wallet_page(payment))
    return (
        f'<h2>{texts["scan"]}</h2><div class="qr">{drawn}</div>'
        f'<a class="button plain" href="{wallet}">{texts["open_wallet"]}</a>'
        f'<a class="button plain" href="{_href("?", visit)}">{texts["back"]}</a>'
    )


def _paid(link: Link, order: Order, visit: Visit) -> str:
    """The receipt: its number, and the key that opens the order to whoever asks about it later."""
    texts = TEXTS[visit.language]
    state = _state("paid", "good", link_icons.GOOD, visit)
    refunded = Money(order.refunded_minor, order.currency)
    back = (
        f"<dt>{texts['refunded']}</dt><dd>{_amount(refunded, visit)}</dd>"
        if refunded.amount_minor
        else ""
    )
    return (
        f"{state}{_bill(link, visit)}<dl><dt>{texts['receipt']}</dt>"
        f'<dd><bdi dir="ltr">{order.order_id}</bdi></dd>{back}</dl>'
        f'<details><summary>{texts["keep"]}</summary><p class="note">{texts["keep_hint"]}</p>'
        f"<dl><dt>{texts['key']}</dt>"
        f'<dd><bdi dir="ltr">{order_token_of(order.order_id)}</bdi></dd></dl></details>'
    )


def _state(name: str, kind: str, icon: str, visit: Visit) -> str:
    texts = TEXTS[visit.language]
    return _head(texts[name], texts[f"{name}_hint"], kind, icon)


def _head(title: str, hint: str, kind: str, icon: str) -> str:
    return (
        f'<section class="state {kind}" role="status">{icon}<h1>{escape(title)}</h1>'
        f"<p>{escape(hint)}</p></section>"
    )


def _address(query: str, visit: Visit) -> str:
    """An address of this page: relative, so that it is right under any host and stage."""
    return f"{query}{'' if query == '?' else '&'}lang={visit.language}"


def _href(query: str, visit: Visit) -> str:
    return escape(_address(query, visit))


def _page(visit: Visit, content: str, seconds: int = 0) -> Shown:
    """The whole page; with `seconds`, the browser asks again after so many."""
    texts = TEXTS[visit.language]
    again = f'\n<meta http-equiv="refresh" content="{seconds}">' if seconds else ""
    here = {visit.language: ' aria-current="true"'}
    names = "".join(
        f'<a href="?lang={tag}" lang="{tag}" hreflang="{tag}"{here.get(tag, "")}>{name}</a>'
        for tag, name in LANGUAGE_NAMES.items()
    )
    html = _template().substitute(
        lang=visit.language,
        dir="rtl" if visit.language == "ar" else "ltr",
        refresh=again,
        title=f"{texts['pay']} · Maalem",
        languages=names,
        content=content,
    )
    return Shown(html)


@lru_cache(maxsize=1)
def _template() -> Template:
    return Template(PAGE_FILE.read_text(encoding="utf-8"))


def headers() -> dict[str, str]:
    """What goes with every page: nobody may frame it, run a script in it, or have it post
    elsewhere. A provider's page learns which site the buyer comes from, and no more."""
    return {
        "Content-Security-Policy": _policy(_form_targets()),
        "Referrer-Policy": "strict-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _form_targets() -> tuple[str, ...]:
    """Browsers hold what a form is answered with (a redirect to a provider) to the policy, too."""
    given = settings()
    addresses = (
        given.cmi_gateway_url,
        given.payzone_paywall_url,
        given.mastercard_gateway_url,
        given.wallet_url,
    )
    parts = [urlsplit(address) for address in addresses]
    return tuple(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))


@lru_cache(maxsize=4)
def _policy(targets: Sequence[str]) -> str:
    style = _template().template.partition("<style>")[2].partition("</style>")[0]
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src 'sha256-{ids.sha256_base64(style)}'",
            f"form-action 'self' {' '.join(targets)}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )
