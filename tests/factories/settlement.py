"""Sales, their messages and providers' files for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib import clock, ids
from chalicelib.money import Money
from chalicelib.payments.messages import PaymentCaptured, Share
from chalicelib.settlement.domain import Sale, Terms

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
