"""What payouts send to themselves through their queue: the next piece of a large batch."""

from typing import Literal

from pydantic import BaseModel


class LaneToDraft(BaseModel):
    """Draft the next page of a lane of a batch; `step` says which."""

    type: Literal["lane_to_draft"] = "lane_to_draft"
    version: Literal[1] = 1
    batch_id: str
    lane: int
    step: int


class BatchToWorkOn(BaseModel):
    """Go on with the work that an operator's move of a batch began; `step` says where it is."""

    type: Literal["batch_to_work_on"] = "batch_to_work_on"
    version: Literal[1] = 1
    batch_id: str
    step: int


class PayoutToSend(BaseModel):
    """A payout was sent out: instruct its rail, once, under its own id."""

    type: Literal["payout_to_send"] = "payout_to_send"
    version: Literal[1] = 1
    payout_id: str


class BankFileToRead(BaseModel):
    """Go on with the lines of a bank's report."""

    type: Literal["bank_file_to_read"] = "bank_file_to_read"
    version: Literal[1] = 1
    file_id: str
