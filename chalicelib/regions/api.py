"""Routes of the regions: which there are, and how far each is."""

from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.replies import Reply
from chalicelib.regions import service
from chalicelib.regions.schemas import RegionChange, RegionList, RegionView

regions = FeatureBlueprint(__name__)


@regions.route(
    "/v1/regions",
    access=Access.PUBLIC,
    answer=RegionList,
    cached_seconds=10,
    summary="The 12 regions and which are open",
)
def list_regions(call: Call[None, None]) -> Reply:
    listed = [RegionView.of(region, call.language) for region in service.regions()]
    return Reply(RegionList(data=listed), headers={"Content-Language": call.language})


@regions.route(
    "/v1/operator/regions/{code}",
    access=Access.OPERATOR,
    answer=RegionView,
    summary="One region's place in the rollout",
)
def show_region(call: Call[None, None]) -> RegionView:
    return RegionView.of(service.region(call.path["code"]), call.language)


@regions.route(
    "/v1/operator/regions/{code}",
    method="PUT",
    access=Access.OPERATOR,
    body=RegionChange,
    answer=RegionView,
    summary="Open, pause or resume a region",
)
def set_region_status(call: Call[RegionChange, None]) -> RegionView:
    return RegionView.of(service.set_status(call.path["code"], call.body.status), call.language)
