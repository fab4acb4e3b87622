"""Notices, and parameters that every kind of them takes."""

import base64
from typing import Any

from chalicelib.edge.sealing import seal
from chalicelib.notice import KINDS, PARAMS, Contact, Notice

ORDER_ID = "ord_hdq6hpvuchbva7hspmezk454"
PARCEL_ID = "prc_hdq6hpvuchbva7hspmezk45401"
AMINA = Contact(name="Amina Berrada", email="amina@example.ma", phone="+212600112233")
PRIVATE = ("Amina", "Berrada", "amina@example.ma", "212600112233", "600112233")

USUAL: dict[str, str | int] = {
    "amount_minor": 128_500,
    "carrier": "Amana",
    "goods": "2 × Vase, Tagine",
    "order_id": ORDER_ID,
    "parcel_id": PARCEL_ID,
    "pieces": 3,
    "tracking": "RR123456789MA",
    "until": "2026-11-30T13:05:00.000Z",
    "voucher_code": "904412345678",
}
# As long as what an order or a parcel may have; ten million dirhams; the longest month.
LONGEST: dict[str, str | int] = USUAL | {
    "amount_minor": 1_000_000_000,
    "carrier": "C" * 200,
    "goods": "ز" * 400,
    "pieces": 999,
    "tracking": "T" * 200,
    "until": "2026-09-30T22:05:00.000Z",
    "voucher_code": "9" * 12,
}
assert USUAL.keys() == LONGEST.keys() == PARAMS.keys()


def params_of(kind: str, values: dict[str, str | int] | None = None) -> dict[str, str | int]:
    """All that a kind may have."""
    return {name: (values or USUAL)[name] for name in KINDS[kind].params}


def a_notice(
    kind: str = "order_paid",
    notice_id: str = f"order_paid:{ORDER_ID}:buyer",
    contact: Contact = AMINA,
    language: str = "fr",
    **params: Any,
) -> Notice:
    plain = contact.model_dump_json().encode()
    return Notice.model_validate(
        {
            "notice_id": notice_id,
            "kind": kind,
            "to": {
                "sealed": base64.b64encode(seal(plain, notice_id)).decode(),
                "language": language,
            },
            "params": params or params_of(kind),
        }
    )
