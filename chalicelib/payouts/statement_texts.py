"""The words of a statement in the four languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """`reasons` is by the entry's reason, `balances` by the names of an artisan's balances."""

    title: str
    artisan: str
    month: str
    made_of: str
    date: str
    what: str
    reference: str
    gross: str
    commission: str
    vat: str
    fee: str
    amount: str
    balance: str
    opening: str
    closing: str
    total: str
    page_of: str
    note: str
    reasons: dict[str, str]
    balances: dict[str, str]


FR = Words(
    title="Relevé de compte",
    artisan="Artisan",
    month="Mois",
    made_of="Solde de clôture",
    date="Date",
    what="Opération",
    reference="Référence",
    gross="Payé par le client",
    commission="Commission",
    vat="TVA sur commission",
    fee="Frais de paiement",
    amount="Montant (MAD)",
    balance="Solde (MAD)",
    opening="Solde d’ouverture",
    closing="Solde de clôture",
    total="Total",
    page_of="Page {page} sur {pages}",
    note="Le solde est tout ce qui vous revient : en attente, disponible, retenu, moins ce que "
    "vous devez. Montants en dirhams marocains. Les frais de paiement sont ceux estimés à la "
    "vente.",
    reasons={
        "sale": "Vente",
        "refund": "Remboursement au client",
        "refund_failed": "Remboursement annulé",
        "dispute_opened": "Litige ouvert",
        "dispute_lost": "Litige perdu",
        "dispute_won": "Litige gagné",
        "payout_reserved": "Virement préparé",
        "payout_failed": "Virement refusé, rendu",
        "payout_returned": "Virement revenu",
        "payout_cancelled": "Virement annulé, rendu",
        "written_off": "Dette effacée",
        "other": "Autre opération",
    },
    balances={
        "pending": "en attente", "payable": "disponible", "held": "retenu", "owed": "dû par vous",
    },
)  # fmt: skip
EN = Words(
    title="Statement",
    artisan="Artisan",
    month="Month",
    made_of="Closing balance",
    date="Date",
    what="What",
    reference="Reference",
    gross="Paid by the buyer",
    commission="Commission",
    vat="VAT on commission",
    fee="Payment fee",
    amount="Amount (MAD)",
    balance="Balance (MAD)",
    opening="Opening balance",
    closing="Closing balance",
    total="Total",
    page_of="Page {page} of {pages}",
    note="The balance is all that is yours: pending, payable and held, less what you owe. Amounts "
    "are in Moroccan dirhams. Payment fees are those estimated at the sale.",
    reasons={
        "sale": "Sale",
        "refund": "Refund to the buyer",
        "refund_failed": "Refund called off",
        "dispute_opened": "Dispute opened",
        "dispute_lost": "Dispute lost",
        "dispute_won": "Dispute won",
        "payout_reserved": "Payout prepared",
        "payout_failed": "Payout refused, given back",
        "payout_returned": "Payout came back",
        "payout_cancelled": "Payout called off, given back",
        "written_off": "Debt written off",
        "other": "Other",
    },
    balances={"pending": "pending", "payable": "payable", "held": "held", "owed": "owed by you"},
)
AR = Words(
    title="كشف الحساب",
    artisan="الصانع",
    month="الشهر",
    made_of="الرصيد الختامي",
    date="التاريخ",
    what="العملية",
    reference="المرجع",
    gross="ما أداه الزبون",
    commission="العمولة",
    vat="الضريبة على العمولة",
    fee="مصاريف الأداء",
    amount="المبلغ (درهم)",
    balance="الرصيد (درهم)",
    opening="الرصيد الافتتاحي",
    closing="الرصيد الختامي",
    total="المجموع",
    page_of="الصفحة {page} من {pages}",
    note="الرصيد هو كل ما لكم: ما هو في الانتظار والمتاح والمحجوز، ناقص ما عليكم. المبالغ بالدرهم "
    "المغربي. مصاريف الأداء هي المقدرة عند البيع.",
    reasons={
        "sale": "بيع",
        "refund": "إرجاع المال إلى الزبون",
        "refund_failed": "إلغاء إرجاع المال",
        "dispute_opened": "فتح نزاع",
        "dispute_lost": "خسارة نزاع",
        "dispute_won": "كسب نزاع",
        "payout_reserved": "تحويل قيد الإعداد",
        "payout_failed": "تحويل مرفوض، أُعيد",
        "payout_returned": "تحويل راجع",
        "payout_cancelled": "تحويل ملغى، أُعيد",
        "written_off": "دين أُسقط",
        "other": "عملية أخرى",
    },
    balances={
        "pending": "في الانتظار", "payable": "متاح", "held": "محجوز", "owed": "عليكم",
    },
)  # fmt: skip
ZGH = Words(
    title="ⴰⵙⵏⵎⵍ ⵏ ⵓⵎⵉⴹⴰⵏ",
    artisan="ⴰⵏⴰⵥⵓⵕ",
    month="ⴰⵢⵢⵓⵔ",
    made_of="ⴰⵎⴰⵏⴰⵔ ⵏ ⵜⴳⵉⵔⴰ",
    date="ⴰⵙⴰⴽⵓⴷ",
    what="ⵜⴰⵎⵀⵍⴰ",
    reference="ⵜⴰⵙⵏⵏⴰⵏⵜ",
    gross="ⵉⵅⵍⵍⵚ ⵓⵎⵙⴰⵖ",
    commission="ⵜⴰⴼⵓⵍⵜ",
    vat="TVA",
    fee="ⵉⵙⵓⴼⵖⵏ ⵏ ⵓⵅⵍⵍⵚ",
    amount="ⴰⵜⵉⴳ (MAD)",
    balance="ⴰⵎⴰⵏⴰⵔ (MAD)",
    opening="ⴰⵎⴰⵏⴰⵔ ⵏ ⵓⵙⵏⵜⵉ",
    closing="ⴰⵎⴰⵏⴰⵔ ⵏ ⵜⴳⵉⵔⴰ",
    total="ⴰⵙⵎⵓⵏ",
    page_of="ⵜⴰⵙⵏⴰ {page} ⵙⴳ {pages}",
    note="ⴰⵎⴰⵏⴰⵔ ⴷ ⴰⴽⴽⵯ ⴰⵢⵏⵏⴰ ⵏⵏⵓⵏ. ⵉⵜⵉⴳⵏ ⵙ ⵓⴷⵔⵀⴰⵎ ⴰⵎⵖⵔⵉⴱⵉ.",
    reasons={
        "sale": "ⵜⴰⵎⵣⵣⵏⵣⴰ",
        "refund": "ⴰⵔⴰⵔ ⵏ ⵉⴷⵔⵉⵎⵏ ⵉ ⵓⵎⵙⴰⵖ",
        "refund_failed": "ⴰⵔⴰⵔ ⵉⵜⵜⵓⵙⵔⴰ",
        "dispute_opened": "ⴰⵎⵢⴰⵖ ⵉⵔⵥⵎⵏ",
        "dispute_lost": "ⴰⵎⵢⴰⵖ ⵉⵜⵜⵓⵅⵙⵔⵏ",
        "dispute_won": "ⴰⵎⵢⴰⵖ ⵉⵜⵜⵓⵔⴱⵃⵏ",
        "payout_reserved": "ⴰⵣⵣⵏⵣⵔ ⵏ ⵉⴷⵔⵉⵎⵏ",
        "payout_failed": "ⴰⵣⵣⵏⵣⵔ ⵓⵔ ⵉⴷⴷⵉⵏ",
        "payout_returned": "ⴰⵣⵣⵏⵣⵔ ⵉⵓⵔⵔⵉⵏ",
        "payout_cancelled": "ⴰⵣⵣⵏⵣⵔ ⵉⵜⵜⵓⵙⵔⵏ",
        "written_off": "ⴰⵎⵔⵡⴰⵙ ⵉⵜⵜⵓⴽⴽⵙⵏ",
        "other": "ⵜⴰⵢⵢⴰⴹ",
    },
    balances={"pending": "ⵉⵜⵜⵔⴰⵊⵓⵏ", "payable": "ⵉⵍⵍⴰⵏ", "held": "ⵉⵟⵟⴼⵏ", "owed": "ⵖⵓⵔⵓⵏ"},
)
WORDS = {"fr": FR, "en": EN, "ar": AR, "zgh": ZGH}
SEPARATORS = {"fr": ("\u00a0", ","), "ar": (".", ","), "en": (",", "."), "zgh": ("\u00a0", ",")}


def amount_text(amount_minor: int, language: str) -> str:
    """-128500 centimes as −1 285,00, −1,285.00 or −1.285,00."""
    thousands, point = SEPARATORS[language]
    whole = f"{abs(amount_minor) // 100:,}".replace(",", thousands)
    sign = "\u2212" if amount_minor < 0 else ""
    return f"{sign}{whole}{point}{abs(amount_minor) % 100:02d}"
