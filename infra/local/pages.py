"""The bank's two pages: choose an outcome, see what the platform answered."""

from html import escape

from infra.local.bank.accounts import Charge
from infra.local.bank.callbacks import Sent
from infra.local.bank.dialect import decimal_text
from infra.local.bank.magic import PAID
from infra.local.bank.plans import Outcome
from infra.local.gateway import HttpRequest

PROVIDERS = {
    "cmi": "CMI",
    "mastercard": "Mastercard Gateway",
    "payzone": "Payzone",
    "wallet": "M-Wallet",
}
_STYLE = """
:root{--ink:#1d2a33;--soft:#5d6a70;--blue:#1f5f8b;--sand:#f6f0e4;--line:#e2d6bf;--red:#a33b2a;
--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#eee7da;--soft:#b3aa9b;--blue:#5aa3d6;--sand:#1b2126;
--line:#3a444c;--red:#f0917f;--paper:#252d33}}
*{box-sizing:border-box}
body{margin:0;background:var(--sand);color:var(--ink);font:17px/1.5 system-ui,sans-serif}
main{max-width:30rem;margin:0 auto;padding:1.25rem}
header{border-bottom:6px double var(--blue);padding-bottom:.75rem;margin-bottom:1rem}
h1{font-size:1.2rem;margin:0}h2{font-size:1.05rem;margin:1.2rem 0 .5rem}
section{margin:0 0 1rem}
.sum{font-size:2.4rem;font-weight:700;margin:.4rem 0 .2rem}
.sum b{color:var(--red)}
.magic{margin:0 0 .6rem;padding:.5rem .8rem;border-inline-start:4px solid var(--blue);
background:var(--paper);border-radius:.3rem}
small,dt{color:var(--soft)}dl{margin:0 0 1rem}
dd{margin:0 0 .5rem;overflow-wrap:anywhere}
button{display:block;width:100%;margin:.5rem 0;padding:.7rem .9rem;border:1px solid var(--line);
border-radius:.6rem;background:var(--paper);color:var(--ink);font:inherit;text-align:start;
cursor:pointer}
button:hover,button:focus-visible{border-color:var(--blue);outline:2px solid var(--blue)}
button.main{background:#1f5f8b;border-color:#1f5f8b;color:#fff;font-weight:600;
padding:1rem .9rem;margin-bottom:1.2rem}
pre{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:.7rem;
white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0}
a{color:var(--blue)}nav{float:inline-end}nav a{margin-inline-start:.5rem}.note{color:var(--red)}
"""

_TEXTS = {
    "fr": {
        "title": "Paiement (bac à sable)",
        "note": "Aucun argent réel : cette page joue le rôle du prestataire de paiement.",
        "magic": "Ce montant est magique. « Payer » fera ceci :",
        "order": "Commande",
        "payment": "Paiement",
        "status": "État à la banque",
        "pending": "en attente",
        "failed": "refusé",
        "authorized": "autorisé, pas encore débité",
        "captured": "débité",
        "voided": "annulé",
        "dispute_opened": "contesté",
        "dispute_won": "litige gagné",
        "dispute_lost": "litige perdu",
        "nothing": "Le prestataire n'a rien envoyé.",
        "sent": "Le prestataire a envoyé",
        "answered": "Réponse de la plateforme",
        "again": "Choisir une autre issue",
        "back": "Retour à la boutique",
        "pay": "Payer",
        "decline": "Paiement refusé",
        "decline_then_pay": "Refus, puis paiement",
        "pay_twice": "Notification envoyée deux fois",
        "wrong_amount": "Un autre montant (1 MAD de moins)",
        "forged": "Notification falsifiée",
        "late": "Payer trop tard (après expiration)",
    },
    "ar": {
        "title": "الأداء (بيئة تجريبية)",
        "note": "لا أموال حقيقية: هذه الصفحة تقوم بدور مزود الأداء.",
        "magic": "هذا المبلغ سحري. زر «أداء» سيفعل ما يلي:",
        "order": "الطلب",
        "payment": "الأداء",
        "status": "الحالة لدى البنك",
        "pending": "قيد الانتظار",
        "failed": "مرفوض",
        "authorized": "مرخص، لم يُقتطع بعد",
        "captured": "مقتطع",
        "voided": "ملغى",
        "dispute_opened": "متنازع فيه",
        "dispute_won": "نزاع مربوح",
        "dispute_lost": "نزاع مخسور",
        "nothing": "لم يرسل المزود شيئاً.",
        "sent": "أرسل المزود",
        "answered": "جواب المنصة",
        "again": "اختيار نتيجة أخرى",
        "back": "العودة إلى المتجر",
        "pay": "أداء",
        "decline": "أداء مرفوض",
        "decline_then_pay": "رفض ثم أداء",
        "pay_twice": "إشعار مرسل مرتين",
        "wrong_amount": "مبلغ آخر (ناقص درهم واحد)",
        "forged": "إشعار مزور",
        "late": "أداء متأخر (بعد انتهاء المهلة)",
    },
    "en": {
        "title": "Payment (sandbox)",
        "note": "No real money: this page plays the payment provider.",
        "magic": "This amount is a magic one. “Pay” will do this:",
        "order": "Order",
        "payment": "Payment",
        "status": "State at the bank",
        "pending": "pending",
        "failed": "declined",
        "authorized": "authorised, not taken yet",
        "captured": "taken",
        "voided": "voided",
        "dispute_opened": "disputed",
        "dispute_won": "dispute won",
        "dispute_lost": "dispute lost",
        "nothing": "The provider sent nothing.",
        "sent": "The provider sent",
        "answered": "The platform answered",
        "again": "Choose another outcome",
        "back": "Back to the shop",
        "pay": "Pay",
        "decline": "Payment declined",
        "decline_then_pay": "Declined, then paid",
        "pay_twice": "Callback sent twice",
        "wrong_amount": "Another amount (1 MAD less)",
        "forged": "Forged callback",
        "late": "Pay too late (after it expired)",
    },
}


def language_of(request: HttpRequest, shop_language: str = "") -> str:
    """`?lang=`, else the shop's, else the first of the reader's that the page has, else French."""
    for asked in (request.query.get("lang", [""])[-1], shop_language):
        if asked in _TEXTS:
            return asked
    for part in request.header("accept-language").split(","):
        code = part.strip()[:2].lower()
        if code in _TEXTS:
            return code
    return "fr"


def payment_page(charge: Charge, language: str) -> str:
    """Amount, what its magic is, and a button per outcome."""
    texts = _TEXTS[language]
    buttons = "".join(
        f'<button name="outcome" value="{outcome}"{_main(outcome)}>{texts[outcome]}</button>'
        for outcome in Outcome
    )
    action = f"/_local/pay/{escape(charge.reference)}?lang={language}"
    return _page(charge, language, f'<form method="post" action="{action}">{buttons}</form>')


def result_page(charge: Charge, sent: list[Sent], language: str, back_to: str) -> str:
    """What was sent, and what the platform answered to it."""
    texts = _TEXTS[language]
    parts = [
        f'<section><b dir="ltr">{escape(one.what)}</b><br><small>{texts["answered"]}</small>'
        f'<pre dir="ltr">{one.status} {escape(one.answer)}</pre></section>'
        for one in sent
    ]
    parts.insert(0, f"<h2>{texts['sent'] if sent else texts['nothing']}</h2>")
    link = f"/_local/pay/{escape(charge.reference)}?lang={language}"
    if back_to.startswith(("http://", "https://")):
        parts.append(f'<p><a href="{escape(back_to)}">{texts["back"]}</a></p>')
    parts.append(f'<p><a href="{link}">{texts["again"]}</a></p>')
    return _page(charge, language, "".join(parts))


def _main(outcome: Outcome) -> str:
    return ' class="main"' if outcome is Outcome.PAY else ""


def _amount(charge: Charge) -> str:
    """The amount; the digits that are magic stand out."""
    text = decimal_text(charge.due_minor)
    return text if charge.magic is PAID else f"{text[:-2]}<b>{text[-2:]}</b>"


def _magic(charge: Charge, language: str) -> str:
    if charge.magic is PAID:
        return ""
    told = {"fr": charge.magic.fr, "ar": charge.magic.ar, "en": charge.magic.en}[language]
    return f'<p class="magic"><small>{_TEXTS[language]["magic"]}</small><br>{escape(told)}</p>'


def _facts(charge: Charge, language: str) -> str:
    texts = _TEXTS[language]
    order = escape(charge.order_id) if charge.order_id != charge.reference else ""
    return "".join(
        [
            f'<dt>{texts["order"]}</dt><dd><bdi dir="ltr">{order}</bdi></dd>' if order else "",
            f'<dt>{texts["payment"]}</dt><dd><bdi dir="ltr">{escape(charge.reference)}</bdi></dd>',
            f"<dt>{texts['status']}</dt><dd>{texts[charge.state]}{_dispute(charge, texts)}</dd>",
        ]
    )


def _dispute(charge: Charge, texts: dict[str, str]) -> str:
    return f" · {texts[f'dispute_{charge.dispute}']}" if charge.dispute else ""


def _page(charge: Charge, language: str, content: str) -> str:
    texts = _TEXTS[language]
    here = f"/_local/pay/{escape(charge.reference)}"
    others = "".join(
        f'<a href="{here}?lang={other}">{other}</a>' for other in _TEXTS if other != language
    )
    provider = PROVIDERS.get(charge.provider, charge.provider)
    return (
        f'<!doctype html><html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">'
        '<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{texts['title']}</title><style>{_STYLE}</style></head><body><main>"
        f"<header><nav>{others}</nav><h1>{escape(provider)} · {texts['title']}</h1>"
        f'<div class="sum"><bdi dir="ltr">{_amount(charge)} MAD</bdi></div>'
        f'<small class="note">{texts["note"]}</small></header>'
        f"{_magic(charge, language)}<dl>{_facts(charge, language)}</dl>{content}"
        "</main></body></html>"
    )
