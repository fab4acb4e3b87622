"""What orders tell the rest of the house."""

from typing import Literal

from pydantic import BaseModel


class ParcelDelivered(BaseModel):
    """An artisan's parcel has arrived; from now the return window runs."""

    type: Literal["parcel_delivered"] = "parcel_delivered"
    version: Literal[1] = 1
    order_id: str
    parcel_id: str
    artisan_id: str
    delivered_at: str


class ReturnMoved(BaseModel):
    """A return of an artisan's parcel was asked for, or its status has changed."""

    type: Literal["return_moved"] = "return_moved"
    version: Literal[1] = 1
    order_id: str
    return_id: str
    parcel_id: str
    artisan_id: str
    status: Literal["requested", "accepted", "refused", "received"]
