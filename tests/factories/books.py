"""What the books must say: the ledger against what settlement keeps of its shares and reversals."""

from collections import defaultdict

from chalicelib.ledger import service as ledger
from chalicelib.payouts import service as payouts
from chalicelib.settlement.domain import NOTHING, Parts, Piece, Share, ShareStatus
from chalicelib.settlement.reversals import Stage
from chalicelib.settlement.tables import SHARE, SettlementTable, share_of
from tests.factories.settlement import ours


def kept_pieces() -> list[tuple[SettlementTable, dict[str, Piece]]]:
    return [
        (row, {name: Piece(g, s, Parts(*parts)) for name, (g, s, *parts) in row.pieces.items()})
        for row in SettlementTable.scan(SettlementTable.pieces.exists())
    ]


def kept_shares() -> list[Share]:
    rows = SettlementTable.scan(SettlementTable.sk == SHARE)
    return [share for share in map(share_of, rows) if share.parts is not None]


def check_books(given: int = 0) -> None:
    """P2, P3: every centime captured is somewhere, once, and settlement and ledger agree on it.

    `given`: what each artisan had to begin with, straight from the ledger.
    """
    check = ledger.check()
    assert check.holds, check
    shares = {share.parcel_id: share for share in kept_shares()}
    assert all(min(share.left.parts) >= 0 <= min(share.reversed.parts) for share in shares.values())
    check_shares(shares)
    check_artisans(shares, given)
    check_platform(shares)


def check_shares(shares: dict[str, Share]) -> None:
    """P5: what a share gave is what stands of refunds and disputes, and adds up by its parts."""
    gave: defaultdict[str, Piece] = defaultdict(lambda: NOTHING)
    for row, pieces in kept_pieces():
        for parcel, piece in pieces.items():
            assert piece.parts.total_minor == piece.gross_minor
            assert min(piece.parts) >= 0
            if row.stage != Stage.GIVEN_BACK:
                gave[parcel] += piece
    for parcel, share in shares.items():
        assert share.reversed == gave[parcel]
        if not share.left.gross_minor:
            assert share.left.parts.total_minor == 0


def check_artisans(shares: dict[str, Share], given: int) -> None:
    held: defaultdict[str, int] = defaultdict(int)
    for row, pieces in kept_pieces():
        for parcel, piece in pieces.items():
            if row.pk.startswith("dispute#") and row.stage == Stage.TAKEN:
                held[str(shares[parcel].artisan_id)] += piece.parts.artisan_minor
    for artisan in {str(share.artisan_id) for share in shares.values()}:
        own = [share for share in shares.values() if share.artisan_id == artisan]
        found = {name: each.amount_minor for name, each in payouts.balance_of(artisan).items()}
        assert min(found.values()) >= 0
        waiting = [share for share in own if share.status is not ShareStatus.RELEASED]
        earned = [share for share in own if share.status is ShareStatus.RELEASED]
        assert found["pending"] == sum(share.left.parts.artisan_minor for share in waiting)
        assert found["held"] == held[artisan]
        paid = found["in_payout"] + found["paid_out"]
        net = found["payable"] - found["owed"] + paid
        assert net == sum(share.left.parts.artisan_minor for share in earned) + given


def check_platform(shares: dict[str, Share]) -> None:
    total: defaultdict[str, int] = defaultdict(int)
    for share in shares.values():
        assert share.parts is not None
        total["commission_revenue"] += share.parts.commission_minor
        total["vat_payable"] += share.parts.vat_minor
    for payment in SettlementTable.scan(SettlementTable.captured_minor.exists()):
        if payment.confirmed_by is None:  # else the provider has paid it
            total["psp_clearing:cmi"] += int(payment.captured_minor or 0)
    for row, pieces in kept_pieces():
        stage, is_refund = Stage(row.stage), row.pk.startswith("refund#")
        gross = sum(piece.gross_minor for piece in pieces.values())
        if stage is Stage.TAKEN:
            total["refund_payable" if is_refund else f"dispute_receivable:{row.provider}"] += gross
        if stage is Stage.GONE or (stage is Stage.TAKEN and not is_refund):
            total["psp_clearing:cmi"] -= gross
        if stage is not Stage.GIVEN_BACK and (is_refund or stage is Stage.GONE):
            for piece in pieces.values():
                total["commission_revenue"] -= piece.parts.commission_minor
                total["vat_payable"] -= piece.parts.vat_minor
                total["psp_fee_loss"] += piece.parts.fee_minor
    found = ours()
    for account in ("commission_revenue", "vat_payable", "refund_payable", "psp_fee_loss",
                    "dispute_receivable:cmi", "psp_clearing:cmi"):  # fmt: skip
        assert found.get(account, 0) == total[account], account
