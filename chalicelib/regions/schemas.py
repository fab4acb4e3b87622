"""Bodies of the regions' routes, and the type of a region's code in everyone's bodies."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from chalicelib.edge.schemas import AnswerBody, RequestBody
from chalicelib.locales import text_in
from chalicelib.regions.domain import Region, RegionStatus, is_region


def _known(code: str) -> str:
    if not is_region(code):
        raise PydanticCustomError("unknown_region", "name one of /v1/regions, such as MA-03")
    return code


RegionCode = Annotated[str, Field(max_length=5), AfterValidator(_known)]


class RegionChange(RequestBody):
    status: RegionStatus


class RegionView(AnswerBody):
    code: str
    name: str
    names: dict[str, str]
    status: RegionStatus
    is_open: bool

    @classmethod
    def of(cls, region: Region, language: str) -> "RegionView":
        name, _ = text_in(region.names, language)
        return cls(
            code=region.code,
            name=name,
            names=dict(region.names),
            status=region.status,
            is_open=region.is_open,
        )


class RegionList(AnswerBody):
    data: list[RegionView]
