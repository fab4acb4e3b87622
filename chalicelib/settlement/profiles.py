"""How the providers' settlement files are written: one table, PROFILES.

The real formats are not public. What is known of their kind: acquirers of cards write for
spreadsheets (semicolons, decimal commas, days first, the fee and the VAT on it apart, a batch that
the bank's credit names); wallets write for programs (commas, ISO dates). A new format is a new
profile here, and nothing else changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from chalicelib.ledger.domain import CURRENCY

FIELDS = (
    "reference",  # our own payment id
    "provider_reference",  # the provider's id of the money movement
    "gross",  # what the buyer paid; below zero where it goes back
    "fee",  # what the provider keeps
    "net",  # what reaches our bank account: gross less fee
    "currency",
    "settled_at",  # RFC 3339, or a date alone (UTC)
    "type",
)
FEE_VAT, BATCH = "fee_vat", "batch"


class LineType(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"  # of what a buyer gets back
    CHARGEBACK = "chargeback"  # below zero: the buyer's bank has taken it; above: it came back
    FEE = "fee"  # of the provider, for no payment


@dataclass(frozen=True, slots=True)
class Profile:
    """`columns`: our field -> the file's column, compared without regard to case and blanks.
    `optional`: the same, of columns that may be missing. `types`: what the file calls lines of each
    kind. `day_format`: None for ISO 8601. `currencies`: other names of MAD."""

    columns: Mapping[str, str]
    types: Mapping[str, LineType]
    optional: Mapping[str, str] = field(default_factory=dict)
    day_format: str | None = None
    currencies: tuple[str, ...] = (CURRENCY,)

    def moment(self, text: str) -> datetime | None:
        try:
            found = (
                datetime.strptime(text, self.day_format).replace(tzinfo=UTC)
                if self.day_format
                else datetime.fromisoformat(text)
            )
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None


PROFILES: dict[str, Profile] = {
    "standard": Profile(
        columns={name: name for name in FIELDS},
        types={"payment": LineType.PAYMENT},  # other kinds of lines are reported as unreadable
        optional={BATCH: "batch"},
    ),
    "card_cmi": Profile(
        columns={
            "reference": "numero commande",
            "provider_reference": "reference transaction",
            "gross": "montant brut",
            "fee": "commission ht",
            FEE_VAT: "tva commission",
            "net": "montant net",
            "currency": "devise",
            "settled_at": "date reglement",
            "type": "type operation",
            BATCH: "numero remise",
        },
        types={
            "achat": LineType.PAYMENT,
            "remboursement": LineType.REFUND,
            "impaye": LineType.CHARGEBACK,
            "frais": LineType.FEE,
        },
        day_format="%d/%m/%Y",
        currencies=(CURRENCY, "504"),
    ),
    "card_mastercard": Profile(
        columns={
            "reference": "merchant order id",
            "provider_reference": "transaction id",
            "gross": "gross amount",
            "fee": "merchant fee",
            FEE_VAT: "vat on fee",
            "net": "net amount",
            "currency": "settlement currency",
            "settled_at": "settlement date",
            "type": "transaction type",
            BATCH: "remittance id",
        },
        types={
            "purchase": LineType.PAYMENT,
            "refund": LineType.REFUND,
            "chargeback": LineType.CHARGEBACK,
            "fee": LineType.FEE,
        },
        day_format="%d/%m/%Y",
    ),
    "wallet": Profile(
        columns={
            "reference": "order_id",
            "provider_reference": "operation_id",
            "gross": "amount",
            "fee": "fee",
            "net": "net_amount",
            "currency": "currency",
            "settled_at": "settled_at",
            "type": "operation",
        },
        types={kind.value: kind for kind in LineType},
        optional={FEE_VAT: "fee_vat", BATCH: "remittance_id"},
    ),
}
