"""Refunds and disputes in the settlement table, and what they change of the shares."""

from dataclasses import replace

from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.ledger.companions import Companion, all_of
from chalicelib.settlement.domain import Parts, Piece, Share
from chalicelib.settlement.reversals import Kind, Reversal, Stage, Taken
from chalicelib.settlement.tables import SHARE, SettlementTable, share_of, unchanged


def find(wanted: Reversal) -> tuple[Taken | None, dict[str, Share]]:
    """A reversal, if it is kept, and the shares it is about, by one consistent read."""
    keys = [_key(wanted), *((f"parcel#{one}", SHARE) for one in wanted.parcel_ids)]
    kept: SettlementTable | None = None
    shares: dict[str, Share] = {}
    for row in SettlementTable.batch_get(keys, consistent_read=True):
        if row.sk == SHARE:
            share = share_of(row)
            shares[share.parcel_id] = share
        else:
            kept = row
    if kept is None:
        return None, shares
    pieces = {parcel: _piece(minors) for parcel, minors in (kept.pieces or {}).items()}
    return Taken(wanted, Stage(kept.stage), pieces, shares), shares


def taking(taken: Taken) -> Companion:
    """Keep a reversal and take its pieces out of the shares; refused where one has changed.

    A share that is disputed, or of which nothing is left, is not released: it leaves the index.
    """
    wanted = taken.wanted
    pk, sk = _key(wanted)
    row = SettlementTable(
        pk,
        sk,
        stage=Stage.TAKEN,
        payment_id=wanted.sale.payment_id,
        order_id=wanted.sale.order_id,
        provider=wanted.sale.provider,
        pieces={parcel: _minors(piece) for parcel, piece in taken.pieces.items()},
    )

    def write(transaction: TransactWrite) -> None:
        transaction.update(row, all_of(row), condition=SettlementTable.pk.does_not_exist())
        for parcel, piece in taken.pieces.items():
            share = taken.shares[parcel]
            actions = _adding(piece)
            after = replace(share, reversed=share.reversed + piece)
            if wanted.kind is Kind.DISPUTE:
                actions.append(SettlementTable.disputes.add({wanted.reversal_id}))
                after = _holding(actions, after, piece.parts.artisan_minor)
            if wanted.kind is Kind.DISPUTE or not (share.left - piece).parts.total_minor:
                actions += [SettlementTable.due_shard.remove(), SettlementTable.due_at.remove()]
            _change(transaction, share, [*actions, _listed(after)])

    return write


def concluding(taken: Taken, to: Stage) -> Companion:
    """End a reversal; refused where it has ended, or a share has changed.

    What is given back is put into the shares again; what ends a dispute thaws them.
    """
    wanted = taken.wanted

    def write(transaction: TransactWrite) -> None:
        transaction.update(
            SettlementTable(*_key(wanted)),
            [SettlementTable.stage.set(to)],
            condition=SettlementTable.stage == Stage.TAKEN,
        )
        for parcel, piece in taken.pieces.items():
            actions: list[Action] = []
            share = after = taken.shares[parcel]
            if to is Stage.GIVEN_BACK:
                actions += _adding(piece, -1)
                after = replace(share, reversed=share.reversed - piece)
            if wanted.kind is Kind.DISPUTE:
                actions.append(SettlementTable.disputes.delete({wanted.reversal_id}))
                after = _holding(actions, after, -piece.parts.artisan_minor)
            if actions:
                _change(transaction, share, [*actions, _listed(after)])

    return write


def _holding(actions: list[Action], after: Share, minor: int) -> Share:
    """So much more of the artisan's part is held, or less."""
    actions.append(SettlementTable.held_minor.add(minor))
    return replace(after, held_minor=after.held_minor + minor)


def _listed(after: Share) -> Action:
    """The share is listed for its artisan while some of it is pending or held, and no longer."""
    if after.is_waiting:
        return SettlementTable.waiting_artisan.set(str(after.artisan_id))
    return SettlementTable.waiting_artisan.remove()


def _change(transaction: TransactWrite, share: Share, actions: list[Action]) -> None:
    transaction.update(
        SettlementTable(f"parcel#{share.parcel_id}", SHARE),
        [*actions, SettlementTable.version.add(1)],
        condition=unchanged(share),
    )


def _adding(piece: Piece, times: int = 1) -> list[Action]:
    table = SettlementTable
    columns = (
        table.reversed_goods_minor,
        table.reversed_shipping_minor,
        table.reversed_artisan_minor,
        table.reversed_commission_minor,
        table.reversed_vat_minor,
        table.reversed_fee_minor,
    )
    return [
        column.add(times * minor) for column, minor in zip(columns, _minors(piece), strict=True)
    ]


def _key(wanted: Reversal) -> tuple[str, str]:
    return f"{wanted.kind}#{wanted.reversal_id}", f"reversal#{wanted.number:03d}"


def _minors(piece: Piece) -> list[int]:
    return [piece.goods_minor, piece.shipping_minor, *piece.parts]


def _piece(minors: list[int]) -> Piece:
    goods_minor, shipping_minor, *parts = minors
    return Piece(goods_minor, shipping_minor, Parts(*parts))
