"""Sales, refunds, disputes, their messages and providers' files for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib import clock, ids
from chalicelib.artisans import tables as artisan_tables
from chalicelib.artisans.domain import ArtisanStatus
from chalicelib.ledger import domain as ledger_domain
from chalicelib.ledger import tables as ledger_tables
from chalicelib.money import Money
from chalicelib.payments.messages import PaymentCaptured, Share
from chalicelib.settlement import domain, reconciliation, reversals, service, tables
from chalicelib.settlement.domain import Sale, Terms
from chalicelib.settlement.reversals import Portion, Reversal
from tests.factories.artisans import an_artisan

CAPTURED_AT = datetime(2026, 6, 14, 19, tzinfo=UTC)
COLUMNS = "reference,provider_reference,gross,fee,net,currency,settled_at,type"


def a_payment_id(name: str = "one") -> str:
    return ids.child_id("pay", ids.derived_id("ord", name), 1)


def terms(parcel: str = "prc_a", artisan: str = "art_a", **changes: Any) -> Terms:
    """249.90 at 10 % commission with 20 % VAT inside it, and a fee estimate of 1.75 %."""
    content = {
        "goods_minor": 24_990,
        "shipping_minor": 0,
        "commission_bp": 1_000,
        "fee_bp": 175,
        "vat_bp": 2_000,
    }
    return Terms(parcel_id=parcel, artisan_id=artisan, **(content | changes))


def a_sale(*shares: Terms, **changes: Any) -> Sale:
    shares = shares or (terms(),)
    content = {
        "payment_id": a_payment_id(),
        "order_id": "ord_a",
        "provider": "cmi",
        "captured": Money(sum(one.gross_minor for one in shares)),
        "captured_at": CAPTURED_AT,
        "shares": shares,
    }
    return Sale(**(content | changes))


def a_share(of: Terms, **changes: Any) -> domain.Share:
    """A share of a payment of its own, as it is after the sale."""
    content = {
        "parcel_id": of.parcel_id,
        "payment_id": a_payment_id(),
        "artisan_id": of.artisan_id,
        "parts": domain.split([of])[0],
        "goods_minor": of.goods_minor,
        "shipping_minor": of.shipping_minor,
        "hold_days": of.hold_days,
    }
    return domain.Share(**(content | changes))


def a_portion(goods_minor: int = 24_990, shipping_minor: int = 0, parcel: str = "prc_a") -> Portion:
    return Portion(parcel, goods_minor, shipping_minor)


def whole_of(sale: Sale) -> list[Portion]:
    return [Portion(one.parcel_id, one.goods_minor, one.shipping_minor) for one in sale.shares]


def a_refund(
    sale: Sale, *portions: Portion, refund_id: str = "rfd_a", attempt: int = 1
) -> Reversal:
    """Of the whole sale, where no portions are given."""
    return reversals.refund_of(refund_id, attempt, sale, portions or whole_of(sale))


def a_dispute(sale: Sale, *portions: Portion, dispute_id: str = "dsp_a") -> list[Reversal]:
    return reversals.dispute_of(dispute_id, sale, portions or whole_of(sale))


def captured_message(sale: Sale) -> PaymentCaptured:
    return PaymentCaptured(
        payment_id=sale.payment_id,
        order_id=sale.order_id,
        provider=sale.provider,
        amount_minor=sale.captured.amount_minor,
        currency=sale.captured.currency,
        captured_at=clock.to_text(sale.captured_at),
        shares=[
            Share(
                parcel_id=one.parcel_id,
                artisan_id=one.artisan_id,
                goods_minor=one.goods_minor,
                shipping_minor=one.shipping_minor,
                commission_bp=one.commission_bp,
                fee_estimate_bp=one.fee_bp,
                vat_on_commission_bp=one.vat_bp,
                hold_days=one.hold_days,
            )
            for one in sale.shares
        ],
    )


def file_line(sale: Sale, fee_minor: int = 437, **changes: str) -> str:
    gross = sale.captured
    cells = {
        "reference": sale.payment_id,
        "provider_reference": f"T-{sale.payment_id[-6:]}",
        "gross": gross.decimal_text(),
        "fee": Money(fee_minor).decimal_text(),
        "net": Money(gross.amount_minor - fee_minor).decimal_text(),
        "currency": "MAD",
        "settled_at": "2026-06-15T08:00:00Z",
        "type": "payment",
    }
    return ",".join((cells | changes).values())


def a_file(lines: Sequence[str], header: str = COLUMNS) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def money_of(artisan_id: str = "art_a") -> dict[str, int]:
    """An artisan's balances that are not nothing, in centimes."""
    found = service.balances(artisan_id)
    return {name: each.amount_minor for name, each in found.items() if each.amount_minor}


def ours() -> dict[str, int]:
    """All balances but the artisans' that are not nothing, in centimes and their normal sense."""
    credit = ledger_domain.replayed_minor(entry for entry, _ in ledger_tables.entries())
    found = {name: ledger_domain.in_normal_sense(name, minor) for name, minor in credit.items()}
    others = ("artisan_", "bank:", "payout_clearing:", "psp_fee_variance")
    return {name: minor for name, minor in found.items() if minor and not name.startswith(others)}


def be_known(artisan_id: str, status: ArtisanStatus = ArtisanStatus.VERIFIED) -> None:
    """Somebody of this id has registered and come so far, unless they have before."""
    artisan_tables.add(an_artisan(artisan_id=artisan_id, status=status))


def release(sale: Sale, fee_minor: int = 437) -> None:
    """Deliver, confirm and release a sale that was settled; moves the clock."""
    for one in sale.shares:
        service.record_delivery(one.parcel_id, clock.now())
    reconciliation.reconcile(a_file([file_line(sale, fee_minor)]), sale.provider, "standard")
    clock.advance(14 * 24 * 3600 + 1)
    assert service.release_due_shares() == len(sale.shares)


def share_of(parcel_id: str = "prc_a") -> domain.Share:
    _, [share] = tables.payments_and_shares([], [parcel_id])
    return share
