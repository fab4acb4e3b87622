"""Magic amounts: the last two digits of the centimes decide what happens on "Pay".

One table: the pages, the tests and the README's table are made from it.
"""

from dataclasses import dataclass

from infra.local.bank.plans import Late, Plan


@dataclass(frozen=True, slots=True)
class Magic:
    """What an amount's ending does, and how it is told in a line of each language."""

    name: str
    plan: Plan
    en: str
    fr: str
    ar: str


PAID = Magic(
    "paid",
    Plan(),
    en="Paid; the callback is sent once.",
    fr="Payé ; la notification est envoyée une fois.",
    ar="مؤدى؛ يُرسل الإشعار مرة واحدة.",
)
MAGIC: dict[int, Magic] = {
    51: Magic(
        "declined",
        Plan(is_refused=True, is_paid=False),
        en="Declined.",
        fr="Refusé.",
        ar="مرفوض.",
    ),
    52: Magic(
        "refused_then_accepted",
        Plan(is_refused=True),
        en="Refused, then accepted on the second try.",
        fr="Refusé, puis accepté au deuxième essai.",
        ar="مرفوض ثم مقبول في المحاولة الثانية.",
    ),
    53: Magic(
        "callback_first",
        Plan(hidden_asks=2),
        en="Paid, and the callback comes first: the bank's own API says pending twice more.",
        fr="Payé, et la notification vient d'abord : l'API dit encore deux fois « en attente ».",
        ar="مؤدى، والإشعار يصل أولاً: واجهة البنك تقول «قيد الانتظار» مرتين بعد ذلك.",
    ),
    54: Magic(
        "callback_three_times",
        Plan(callback_count=3),
        en="Paid; the same callback is sent three times.",
        fr="Payé ; la même notification est envoyée trois fois.",
        ar="مؤدى؛ يُرسل الإشعار نفسه ثلاث مرات.",
    ),
    55: Magic(
        "late_by_an_hour",
        Plan(late=Late.BY_AN_HOUR),
        en="Paid an hour late: the local clock moves on first.",
        fr="Payé une heure trop tard : l'horloge locale avance d'abord.",
        ar="مؤدى متأخراً بساعة: تتقدم الساعة المحلية أولاً.",
    ),
    56: Magic(
        "wrong_amount",
        Plan(short_by_minor=100),
        en="Another amount is paid: 1 MAD less.",
        fr="Un autre montant est payé : 1 MAD de moins.",
        ar="يؤدى مبلغ آخر: ناقص درهم واحد.",
    ),
    57: Magic(
        "wrong_currency",
        Plan(currency="EUR"),
        en="Paid in another currency: EUR.",
        fr="Payé dans une autre monnaie : EUR.",
        ar="مؤدى بعملة أخرى: الأورو.",
    ),
    58: Magic(
        "timeout_money_taken",
        Plan(callback_count=0, loses_capture_answer=True),
        en="The money is taken and nobody says so: no callback, only who asks learns it.",
        fr="L'argent est pris sans rien dire : aucune notification, il faut demander.",
        ar="يؤخذ المال دون إخبار أحد: لا إشعار، ولا يعلم إلا من يسأل.",
    ),
    59: Magic(
        "refund_refused_once",
        Plan(refuses_first_refund=True),
        en="Paid; its first refund is refused for good, a new one succeeds.",
        fr="Payé ; son premier remboursement est refusé, un nouveau réussit.",
        ar="مؤدى؛ يُرفض أول استرداد له نهائياً وينجح استرداد جديد.",
    ),
    60: Magic(
        "dispute_lost",
        Plan(dispute="lost"),
        en="Paid, then disputed; the dispute is lost.",
        fr="Payé, puis contesté ; le litige est perdu.",
        ar="مؤدى ثم متنازع فيه؛ يُخسر النزاع.",
    ),
    61: Magic(
        "dispute_won",
        Plan(dispute="won"),
        en="Paid, then disputed; the dispute is won.",
        fr="Payé, puis contesté ; le litige est gagné.",
        ar="مؤدى ثم متنازع فيه؛ يُربح النزاع.",
    ),
    62: Magic(
        "refund_answer_lost",
        Plan(loses_refund_answer=True),
        en="Paid; a refund of it is done, but the answer is lost.",
        fr="Payé ; un remboursement est fait, mais la réponse se perd.",
        ar="مؤدى؛ يتم استرداده لكن الجواب يضيع.",
    ),
}


def magic_of(amount_minor: int) -> Magic:
    """What the ending of an amount in centimes does; PAID where it is no magic one."""
    return MAGIC.get(amount_minor % 100, PAID)


def table_rows() -> str:
    """The rows of the README's table: how the amount ends, and what the sandbox then does."""
    rows = [f"| `.{ending}` | {magic.en} |" for ending, magic in sorted(MAGIC.items())]
    return "\n".join([*rows, f"| any other | {PAID.en} |"])
