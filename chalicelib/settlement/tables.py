"""The settlement table.

    pk                      sk             what
    parcel#{parcel id}      share          one parcel's part of a payment: facts as they arrive
    payment#{id}            payment        what was captured, its parcels, what confirmed it
    refund#{id}             reversal#{no}  an attempt of a refund: how far it is, what it takes
    dispute#{id}            reversal#{no}  a dispute, or a part of it where it is long
    file#{id}               file           a provider's settlement file
    file#{id}               line#{no}      one of its lines with the result

`hold_tables` and `owed_tables` say what else there is.

Facts are merged by updates that set what is not set, so that any order ends alike.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import (
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from chalicelib import clock
from chalicelib.edge.storage import (
    Table,
    commit,
    due_index,
    due_shard_of,
    failed_conditions,
    is_condition_failure,
    meta,
    sweep_due,
)
from chalicelib.ledger.companions import Companion, all_of
from chalicelib.money import Money
from chalicelib.settlement.domain import Parts, Piece, Sale, SettledPayment, Share, Terms

SHARE, PAYMENT = "share", "payment"
RELEASE = "release"
UNNAMED = "unnamed"  # a settled payment that no file of its provider has named yet


class ByArtisanIndex(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_artisan"
        projection = KeysOnlyProjection()

    waiting_artisan = UnicodeAttribute(hash_key=True)
    sold_at = UnicodeAttribute(range_key=True)


class SettlementTable(Table):
    Meta: Any = meta("settlement", stream=True)
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    payment_id = UnicodeAttribute(null=True)
    order_id = UnicodeAttribute(null=True)
    artisan_id = UnicodeAttribute(null=True)
    provider = UnicodeAttribute(null=True)
    # A share
    goods_minor = NumberAttribute(null=True)
    shipping_minor = NumberAttribute(null=True)
    commission_bp = NumberAttribute(null=True)
    fee_bp = NumberAttribute(null=True)
    vat_bp = NumberAttribute(null=True)
    artisan_minor = NumberAttribute(null=True)
    commission_minor = NumberAttribute(null=True)
    vat_minor = NumberAttribute(null=True)
    delivered_at = UnicodeAttribute(null=True)
    confirmed_at = UnicodeAttribute(null=True)
    released_at = UnicodeAttribute(null=True)
    hold_days = NumberAttribute(null=True)
    reversed_goods_minor = NumberAttribute(null=True)
    reversed_shipping_minor = NumberAttribute(null=True)
    reversed_artisan_minor = NumberAttribute(null=True)
    reversed_commission_minor = NumberAttribute(null=True)
    reversed_vat_minor = NumberAttribute(null=True)
    reversed_fee_minor = NumberAttribute(null=True)
    disputes = UnicodeSetAttribute(null=True)
    holds = UnicodeSetAttribute(null=True)
    returns_opened = UnicodeSetAttribute(null=True)
    returns_closed = UnicodeSetAttribute(null=True)
    held_minor = NumberAttribute(null=True)
    waiting_artisan = UnicodeAttribute(null=True)
    sold_at = UnicodeAttribute(null=True)
    by_artisan = ByArtisanIndex()
    version = NumberAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    due = due_index()
    # A payment
    captured_minor = NumberAttribute(null=True)
    captured_at = UnicodeAttribute(null=True)
    parcel_ids = JSONAttribute(null=True)
    confirmed_by = UnicodeAttribute(null=True)
    waiting_line = UnicodeAttribute(null=True)
    breaks = UnicodeSetAttribute(null=True)
    missed_at = UnicodeAttribute(null=True)
    filed_back_minor = NumberAttribute(null=True)
    # A refund's attempt or a dispute
    stage = UnicodeAttribute(null=True)
    pieces = JSONAttribute(null=True)
    # A file and its lines
    sha256 = UnicodeAttribute(null=True)
    profile = UnicodeAttribute(null=True)
    line_count = NumberAttribute(null=True)
    imported_at = UnicodeAttribute(null=True)
    number = NumberAttribute(null=True)
    result = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    reference = UnicodeAttribute(null=True)
    provider_reference = UnicodeAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    gross_minor = NumberAttribute(null=True)
    fee_minor = NumberAttribute(null=True)
    net_minor = NumberAttribute(null=True)
    settled_at = UnicodeAttribute(null=True)
    line_type = UnicodeAttribute(null=True)
    fee_vat_minor = NumberAttribute(null=True)
    batch = UnicodeAttribute(null=True)
    taken_count = NumberAttribute(null=True)
    # A remittance or a credit of the bank
    bank_entry = UnicodeAttribute(null=True)
    confidence = UnicodeAttribute(null=True)
    counterparts = JSONAttribute(null=True)
    words = UnicodeSetAttribute(null=True)


def keep_sale(sale: Sale, parts: Sequence[Parts], named_by: datetime) -> Companion:
    """The shares and payment of a sale, beside its entry; refused where one was sold before.

    By `named_by` a file of its provider should have named the payment.
    """

    def write(transaction: TransactWrite) -> None:
        for terms, part in zip(sale.shares, parts, strict=True):
            row = _share_row(sale, terms, part)
            unsold = SettlementTable.artisan_minor.does_not_exist()
            transaction.update(row, all_of(row), condition=unsold)
        payment = SettlementTable(
            f"payment#{sale.payment_id}",
            PAYMENT,
            payment_id=sale.payment_id,
            order_id=sale.order_id,
            provider=sale.provider,
            captured_minor=sale.captured.amount_minor,
            captured_at=clock.to_text(sale.captured_at),
            fee_minor=sum(part.fee_minor for part in parts),
            parcel_ids=list(sale.parcel_ids),
            due_shard=due_shard_of(UNNAMED, sale.payment_id),
            due_at=clock.to_text(named_by),
        )
        transaction.update(payment, all_of(payment))

    return write


def _share_row(sale: Sale, terms: Terms, part: Parts) -> SettlementTable:
    return SettlementTable(
        f"parcel#{terms.parcel_id}",
        SHARE,
        payment_id=sale.payment_id,
        order_id=sale.order_id,
        artisan_id=terms.artisan_id,
        provider=sale.provider,
        goods_minor=terms.goods_minor,
        shipping_minor=terms.shipping_minor,
        commission_bp=terms.commission_bp,
        fee_bp=terms.fee_bp,
        vat_bp=terms.vat_bp,
        hold_days=terms.hold_days,
        artisan_minor=part.artisan_minor,
        commission_minor=part.commission_minor,
        vat_minor=part.vat_minor,
        fee_minor=part.fee_minor,
        sold_at=clock.to_text(sale.captured_at),
        waiting_artisan=terms.artisan_id if part.artisan_minor else None,
    )


def note_delivery(parcel_id: str, delivered_at: datetime) -> Share:
    """Keep when a parcel arrived, unless that is known; what is known of the share now."""
    row = SettlementTable(f"parcel#{parcel_id}", SHARE)
    text = clock.to_text(delivered_at)
    known = SettlementTable.delivered_at
    row.update([known.set(known | text)])
    return share_of(row)


def confirm(
    payment: SettledPayment, line: str, reference: str | None, settled_at: datetime
) -> Companion:
    """Mark a payment and its shares as confirmed by a line, which has the provider's `reference`
    (or by a break that was resolved); refused where another has."""
    table = SettlementTable
    actions = [
        table.confirmed_by.set(line),
        table.confirmed_at.set(clock.to_text(settled_at)),
        table.due_shard.remove(),
        table.due_at.remove(),
    ]
    if payment.waiting_line is not None:
        actions.append(table.waiting_line.remove())
    if payment.breaks:
        actions.append(table.breaks.remove())
    if reference is not None:
        actions.append(table.provider_reference.set(reference))

    def write(transaction: TransactWrite) -> None:
        row = SettlementTable(f"payment#{payment.payment_id}", PAYMENT)
        transaction.update(row, actions, condition=table.confirmed_by.does_not_exist())
        for parcel_id in payment.parcel_ids:
            share = SettlementTable(f"parcel#{parcel_id}", SHARE)
            text = clock.to_text(settled_at)
            transaction.update(share, [SettlementTable.confirmed_at.set(text)])

    return write


def payments_and_shares(
    payment_ids: Sequence[str], parcel_ids: Sequence[str]
) -> tuple[dict[str, SettledPayment], list[Share]]:
    """Both by one consistent read (two above 100 rows); what is not there is left out."""
    keys = [(f"payment#{one}", PAYMENT) for one in dict.fromkeys(payment_ids)]
    keys += [(f"parcel#{one}", SHARE) for one in dict.fromkeys(parcel_ids)]
    payments, shares = {}, []
    for row in SettlementTable.batch_get(keys, consistent_read=True):
        if row.sk == PAYMENT:
            payment = payment_of(row)
            payments[payment.payment_id] = payment
        else:
            shares.append(share_of(row))
    return payments, shares


def find_payment(payment_id: str) -> SettledPayment | None:
    return payments_and_shares([payment_id], [])[0].get(payment_id)


def schedule(share: Share, due_at: datetime) -> None:
    """Put a share into the index of what is released later; once it is released, nothing."""
    row = SettlementTable(f"parcel#{share.parcel_id}", SHARE)
    table = SettlementTable
    try:
        row.update(
            [
                table.due_shard.set(due_shard_of(RELEASE, share.parcel_id)),
                table.due_at.set(clock.to_text(due_at)),
            ],
            condition=table.released_at.does_not_exist() & table.artisan_minor.exists(),
        )
    except UpdateError as error:
        if not is_condition_failure(error):
            raise


def unschedule(share: Share) -> None:
    """Take a share out of that index, unless it has changed: it may be due again by now."""
    row = SettlementTable(f"parcel#{share.parcel_id}", SHARE)
    table = SettlementTable
    try:
        row.update([table.due_shard.remove(), table.due_at.remove()], condition=unchanged(share))
    except UpdateError as error:
        if not is_condition_failure(error):
            raise


def unchanged(share: Share) -> Condition:
    """No refund, dispute or release has come to the share since it was read."""
    version = SettlementTable.version
    return version == share.version if share.version else version.does_not_exist()


def released(share: Share, at: datetime) -> Companion:
    """Mark a share as released; refused where it was, has changed, or is not due any more."""

    def write(transaction: TransactWrite) -> None:
        transaction.update(
            SettlementTable(f"parcel#{share.parcel_id}", SHARE),
            [
                SettlementTable.released_at.set(clock.to_text(at)),
                SettlementTable.version.add(1),
                SettlementTable.waiting_artisan.remove(),
                SettlementTable.due_shard.remove(),
                SettlementTable.due_at.remove(),
            ],
            condition=unchanged(share)
            & SettlementTable.released_at.does_not_exist()
            & SettlementTable.due_at.exists(),
        )

    return write


def release_nothing(share: Share, at: datetime) -> bool:
    """Mark a share as released whose artisan's part is nothing: there is no entry to go with.

    False where it was released, or has changed, a moment ago.
    """
    try:
        commit(released(share, at))
    except TransactWriteError as error:
        if not failed_conditions(error):
            raise
        return False
    return True


def due_shares() -> Iterator[Share]:
    """Shares whose time has come, read while they are dealt with."""
    return (share_of(row) for row in sweep_due(SettlementTable.due, RELEASE))


def share_of(row: SettlementTable) -> Share:
    parts = None
    if row.artisan_minor is not None:
        parts = Parts(
            int(row.artisan_minor),
            int(row.commission_minor or 0),
            int(row.vat_minor or 0),
            int(row.fee_minor or 0),
        )
    return Share(
        parcel_id=row.pk.removeprefix("parcel#"),
        payment_id=row.payment_id,
        artisan_id=row.artisan_id,
        parts=parts,
        delivered_at=_moment(row.delivered_at),
        confirmed_at=_moment(row.confirmed_at),
        due_at=_moment(row.due_at),
        released_at=_moment(row.released_at),
        goods_minor=int(row.goods_minor or 0),
        shipping_minor=int(row.shipping_minor or 0),
        hold_days=None if row.hold_days is None else int(row.hold_days),
        reversed=_reversed(row),
        disputes=frozenset(row.disputes or ()),
        holds=frozenset(row.holds or ()),
        returns=frozenset(row.returns_opened or ()) - frozenset(row.returns_closed or ()),
        held_minor=int(row.held_minor or 0),
        sold_at=_moment(row.sold_at),
        order_id=row.order_id,
        version=int(row.version or 0),
    )


def _reversed(row: SettlementTable) -> Piece:
    return Piece(
        int(row.reversed_goods_minor or 0),
        int(row.reversed_shipping_minor or 0),
        Parts(
            int(row.reversed_artisan_minor or 0),
            int(row.reversed_commission_minor or 0),
            int(row.reversed_vat_minor or 0),
            int(row.reversed_fee_minor or 0),
        ),
    )


def payment_of(row: SettlementTable) -> SettledPayment:
    settled = row.captured_minor is not None
    return SettledPayment(
        payment_id=row.pk.removeprefix("payment#"),
        provider=row.provider,
        captured=Money(int(row.captured_minor or 0)) if settled else None,
        fee_estimate=Money(int(row.fee_minor or 0)) if settled else None,
        parcel_ids=tuple(row.parcel_ids or ()),
        confirmed_by=row.confirmed_by,
        waiting_line=row.waiting_line,
        confirmed_reference=row.provider_reference,
        breaks=frozenset(row.breaks or ()),
        missed_at=_moment(row.missed_at),
        filed_back_minor=int(row.filed_back_minor or 0),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else clock.from_text(text)
