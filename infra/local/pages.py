"""The sandbox's two pages: choose an outcome, see what the platform answered."""

from html import escape

from infra.local.gateway import HttpRequest
from infra.local.provider import Due, Outcome, Sent, decimal_text

_STYLE = """
:root{--ink:#1d2a33;--blue:#1f5f8b;--sand:#f6f0e4;--line:#e2d6bf;--red:#a33b2a}
*{box-sizing:border-box}
body{margin:0;background:var(--sand);color:var(--ink);font:17px/1.5 system-ui,sans-serif}
main{max-width:28rem;margin:0 auto;padding:1.25rem}
header{border-bottom:6px double var(--blue);padding-bottom:.75rem;margin-bottom:1rem}
h1{font-size:1.2rem;margin:0}
.sum{font-size:2.2rem;font-weight:700;margin:.4rem 0}
small,dt{color:#5d6a70}
dd{margin:0 0 .5rem;overflow-wrap:anywhere}
button{display:block;width:100%;margin:.6rem 0;padding:.9rem;border:1px solid var(--line);
border-radius:.6rem;background:#fff;color:var(--ink);font:inherit;text-align:start;cursor:pointer}
button.main{background:var(--blue);border-color:var(--blue);color:#fff;font-weight:600}
pre{background:#fff;border:1px solid var(--line);border-radius:.6rem;padding:.7rem;
white-space:pre-wrap;overflow-wrap:anywhere}
a{color:var(--blue)}nav{float:inline-end}.note{color:var(--red)}
"""

_TEXTS = {
    "fr": {
        "title": "Paiement (bac à sable)",
        "note": "Aucun argent réel : cette page joue le rôle du prestataire de paiement.",
        "order": "Commande",
        "payment": "Paiement",
        "status": "État",
        "sent": "Le prestataire a envoyé",
        "answered": "Réponse de la plateforme",
        "again": "Choisir une autre issue",
        "back": "Retour à la boutique",
        "pay": "Payer",
        "decline": "Carte refusée",
        "decline_then_pay": "Refus, puis paiement",
        "pay_twice": "Notification envoyée deux fois",
        "wrong_amount": "Un autre montant (1 MAD de moins)",
        "forged": "Notification falsifiée",
        "late": "Payer trop tard (après expiration)",
    },
    "ar": {
        "title": "الأداء (بيئة تجريبية)",
        "note": "لا أموال حقيقية: هذه الصفحة تقوم بدور مزود الأداء.",
        "order": "الطلب",
        "payment": "الأداء",
        "status": "الحالة",
        "sent": "أرسل المزود",
        "answered": "جواب المنصة",
        "again": "اختيار نتيجة أخرى",
        "back": "العودة إلى المتجر",
        "pay": "أداء",
        "decline": "البطاقة مرفوضة",
        "decline_then_pay": "رفض ثم أداء",
        "pay_twice": "إشعار مرسل مرتين",
        "wrong_amount": "مبلغ آخر (ناقص درهم واحد)",
        "forged": "إشعار مزور",
        "late": "أداء متأخر (بعد انتهاء المهلة)",
    },
    "en": {
        "title": "Payment (sandbox)",
        "note": "No real money: this page plays the payment provider.",
        "order": "Order",
        "payment": "Payment",
        "status": "Status",
        "sent": "The provider sent",
        "answered": "The platform answered",
        "again": "Choose another outcome",
        "back": "Back to the shop",
        "pay": "Pay",
        "decline": "Card declined",
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


def payment_page(due: Due, language: str) -> str:
    """Amount, order and a button per outcome."""
    texts = _TEXTS[language]
    buttons = "".join(
        f'<button name="outcome" value="{outcome}"{_main(outcome)}>{texts[outcome]}</button>'
        for outcome in Outcome
    )
    action = f"/_local/pay/{escape(due.payment_id)}?lang={language}"
    return _page(due, language, f'<form method="post" action="{action}">{buttons}</form>')


def result_page(due: Due, sent: list[Sent], language: str, back_to: str) -> str:
    """What was sent, and what the platform answered to it."""
    texts = _TEXTS[language]
    parts = [
        f"<h2>{texts['sent']}</h2><p>{escape(one.what)}</p>"
        f"<p><small>{texts['answered']}</small></p>"
        f'<pre dir="ltr">{one.status} {escape(one.answer)}</pre>'
        for one in sent
    ]
    link = f"/_local/pay/{escape(due.payment_id)}?lang={language}"
    parts.append(f'<p><a href="{link}">{texts["again"]}</a></p>')
    if back_to.startswith(("http://", "https://")):
        parts.append(f'<p><a href="{escape(back_to)}">{texts["back"]}</a></p>')
    return _page(due, language, "".join(parts))


def _main(outcome: Outcome) -> str:
    return ' class="main"' if outcome is Outcome.PAY else ""


def _page(due: Due, language: str, content: str) -> str:
    texts = _TEXTS[language]
    here = f"/_local/pay/{escape(due.payment_id)}"
    others = " ".join(
        f'<a href="{here}?lang={other}">{other}</a>' for other in _TEXTS if other != language
    )
    return (
        f'<!doctype html><html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">'
        '<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{texts['title']}</title><style>{_STYLE}</style></head><body><main>"
        f"<header><nav>{others}</nav><h1>Maalem · {texts['title']}</h1>"
        f'<div class="sum" dir="ltr">{decimal_text(due.amount_minor)} MAD</div>'
        f'<small class="note">{texts["note"]}</small></header>'
        f'<dl><dt>{texts["order"]}</dt><dd dir="ltr">{escape(due.order_id)}</dd>'
        f'<dt>{texts["payment"]}</dt><dd dir="ltr">{escape(due.payment_id)}</dd>'
        f'<dt>{texts["status"]}</dt><dd dir="ltr">{escape(due.status)}</dd></dl>'
        f"{content}</main></body></html>"
    )
