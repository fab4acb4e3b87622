"""The evidence pack of a dispute: what was bought, paid, sent and received, and when."""

import json
from collections.abc import Mapping
from typing import Any

from chalicelib import clock, ids
from chalicelib.orders import service as orders
from chalicelib.orders.domain import Order, Parcel
from chalicelib.payments.dispute_domain import Dispute
from chalicelib.payments.domain import Payment


def pack(dispute: Dispute, payment: Payment) -> dict[str, Any]:
    """A JSON document; the receiver's town and country are in it, no e-mail and no telephone."""
    order = orders.order(dispute.order_id)
    return {
        "dispute": {
            "id": dispute.dispute_id,
            "case": dispute.case,
            "reason": dispute.reason,
            "amount_minor": dispute.amount.amount_minor,
            "currency": dispute.amount.currency,
            "opened_at": clock.to_text(dispute.opened_at),
            "evidence_due_at": clock.to_text(dispute.evidence_due_at),
        },
        "payment": _payment(payment),
        "order": _order(order),
        "parcels": [_parcel(parcel) for parcel in order.parcels],
    }


def digest_of(packed: Mapping[str, Any]) -> str:
    """What shows later that the bank was sent exactly this."""
    return ids.fingerprint(json.dumps(packed, sort_keys=True, ensure_ascii=False))


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.payment_id,
        "method": payment.method,
        "provider": payment.provider,
        "provider_reference": payment.provider_reference,
        "amount_minor": payment.amount.amount_minor,
        "captured_at": payment.captured_at and clock.to_text(payment.captured_at),
        "refunded_minor": payment.refunded_minor,
        "attempts": [
            {
                "outcome": attempt.outcome,
                "provider_reference": attempt.provider_reference,
                "at": clock.to_text(attempt.at),
            }
            for attempt in payment.attempts
        ],
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "id": order.order_id,
        "placed_at": clock.to_text(order.placed_at),
        "paid_at": order.paid_at and clock.to_text(order.paid_at),
        "buyer_name": order.buyer.name,
        "ship_to": {"city": order.ship_to.city, "country": order.ship_to.country},
        "lines": [
            {
                "listing_id": line.listing_id,
                "title": line.title,
                "quantity": line.quantity,
                "unit_price_minor": line.unit_price_minor,
                "discount_minor": line.discount_minor,
                "amount_minor": line.goods_minor,
            }
            for line in order.lines
        ],
        "in_person": order.in_person,
    }


def _parcel(parcel: Parcel) -> dict[str, Any]:
    return {
        "id": parcel.parcel_id,
        "status": parcel.status,
        "carrier": parcel.carrier,
        "tracking": parcel.tracking,
        "shipped_at": parcel.shipped_at and clock.to_text(parcel.shipped_at),
        "delivered_at": parcel.delivered_at and clock.to_text(parcel.delivered_at),
    }
