"""What artisans are told of their money: released, owed, taken for what is owed, given up.

Read off the changes of the settlement table, so nothing moves that its owner does not hear of.
"""

from chalicelib.artisans.announcements import tell_artisan
from chalicelib.edge.streams import Change


def tell_of(change: Change) -> None:
    """Tell what a change of the table means to an artisan; most mean nothing."""
    if change.became("recovered_at"):
        _tell_taken(change, "money_recovered", "owing_artisan")
    elif change.became("written_off_at"):
        _tell_taken(change, "debt_written_off", "owing_artisan")
    elif change.became("released_at"):
        _tell_released(change)
    elif change.new and "released_at" in change.new:
        _tell_owed(change)


def _tell_taken(change: Change, kind: str, owner: str) -> None:
    what = change.text("sk")
    tell_artisan(change.text(owner), kind, what, amount_minor=_minor(change.new, "amount_minor"))


def _tell_released(change: Change) -> None:
    part = _minor(change.new, "artisan_minor") - _minor(change.new, "reversed_artisan_minor")
    parcel = change.text("pk").removeprefix("parcel#")
    if part > 0:
        owner = change.text("artisan_id")
        tell_artisan(owner, "money_released", parcel, parcel_id=parcel, amount_minor=part)


def _tell_owed(change: Change) -> None:
    """More was taken out of a share that was released: of what its artisan may have been paid."""
    column = "reversed_artisan_minor"
    more = _minor(change.new, column) - _minor(change.old, column)
    if more > 0:
        parcel = change.text("pk").removeprefix("parcel#")
        what = f"{parcel}:{_minor(change.new, 'version')}"
        owner = change.text("artisan_id")
        tell_artisan(owner, "money_owed", what, parcel_id=parcel, amount_minor=more)


def _minor(image: object, column: str) -> int:
    value = image.get(column) if isinstance(image, dict) else None
    return int(value["N"]) if value else 0
