"""What settlement tells the rest of the house."""

from typing import Any, Literal

from pydantic import BaseModel


class PaymentConfirmed(BaseModel):
    """The provider's own settlement file names the payment: the money is real.

    Sent for a line that matches, and for one that names a payment not settled yet: `payments`
    knows whether it waits for this confirmation, and compares the amount.
    """

    type: Literal["payment_confirmed"] = "payment_confirmed"
    version: Literal[1] = 1
    payment_id: str
    provider: str
    provider_reference: str
    amount_minor: int
    currency: str
    settled_at: str


class ArtisanCleared(BaseModel):
    """An artisan was verified, or a hold on them was lifted: what waits for that is looked at.

    `page` is where a page of it begins, for those who wait for more than one.
    """

    type: Literal["artisan_cleared"] = "artisan_cleared"
    version: Literal[1] = 1
    artisan_id: str
    page: dict[str, Any] | None = None


class FileLinesToTake(BaseModel):
    """Lines of a long settlement file are to be taken, from the `first`th on."""

    type: Literal["file_lines_to_take"] = "file_lines_to_take"
    version: Literal[1] = 1
    file_id: str
    first: int
