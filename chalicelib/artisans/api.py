"""Routes of the artisans: their own profile, what the public sees, what operators decide."""

from chalicelib.artisans import service
from chalicelib.artisans.domain import ArtisanStatus
from chalicelib.artisans.schemas import (
    ArtisanRow,
    ArtisansQuery,
    DestinationBody,
    DestinationView,
    OwnProfile,
    ProfileChanges,
    PublicProfile,
    ReasonBody,
    Registration,
    VerificationRequest,
)
from chalicelib.edge import pages
from chalicelib.edge.auth import Access
from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.edge.calls import Call
from chalicelib.edge.idempotency import REPLAYED
from chalicelib.edge.pages import Page
from chalicelib.edge.replies import Reply

artisans = FeatureBlueprint(__name__)


@artisans.route(
    "/v1/artisans",
    method="POST",
    access=Access.ARTISAN,
    body=Registration,
    answer=OwnProfile,
    status=201,
    summary="Register as an artisan",
)
def register_artisan(call: Call[Registration, None]) -> Reply:
    artisan, again = service.register(call.caller.artisan_id, call.body.to_profile(), call.body.cin)
    return Reply(OwnProfile.of(artisan), headers=REPLAYED if again else {})


@artisans.route(
    "/v1/artisans/{artisan_id}",
    access=Access.PUBLIC,
    answer=PublicProfile,
    cached_seconds=30,
    summary="An artisan's public profile",
)
def show_artisan(call: Call[None, None]) -> Reply:
    artisan = service.public_artisan(call.path["artisan_id"])
    view, written_in = PublicProfile.of(artisan, call.language)
    return Reply(view, headers={"Content-Language": written_in})


@artisans.route(
    "/v1/me", access=Access.ARTISAN, answer=OwnProfile, summary="The caller's own profile"
)
def show_me(call: Call[None, None]) -> OwnProfile:
    return OwnProfile.of(service.artisan(call.caller.artisan_id))


@artisans.route(
    "/v1/me",
    method="PATCH",
    access=Access.ARTISAN,
    body=ProfileChanges,
    answer=OwnProfile,
    summary="Change the caller's own profile",
)
def edit_me(call: Call[ProfileChanges, None]) -> OwnProfile:
    return OwnProfile.of(service.edit_profile(call.caller.artisan_id, call.body.to_changes()))


@artisans.route(
    "/v1/me/verification",
    method="POST",
    access=Access.ARTISAN,
    body=VerificationRequest,
    answer=OwnProfile,
    summary="Ask to be verified, naming the documents",
)
def request_verification(call: Call[VerificationRequest, None]) -> OwnProfile:
    documents = tuple(call.body.documents)
    return OwnProfile.of(service.submit_for_verification(call.caller.artisan_id, documents))


@artisans.route(
    "/v1/me/payout-destination",
    method="PUT",
    access=Access.ARTISAN,
    body=DestinationBody,
    answer=DestinationView,
    summary="Say where payouts go; a change is held for 72 hours",
)
def set_payout_destination(call: Call[DestinationBody, None]) -> DestinationView:
    given = call.body.root
    artisan = service.set_payout_destination(call.caller.artisan_id, given.kind, given.value)
    assert artisan.destination is not None
    return DestinationView.of(artisan.destination)


@artisans.route(
    "/v1/operator/artisans",
    access=Access.OPERATOR,
    query=ArtisansQuery,
    answer=Page[ArtisanRow],
    summary="Artisans, of one status or all, the ones waiting longest first",
)
def list_artisans(call: Call[None, ArtisansQuery]) -> Page[ArtisanRow]:
    query = call.query
    start = pages.key_of(query.cursor, query.scope())
    statuses = [query.status] if query.status else list(ArtisanStatus)
    rows, last = service.page_of(statuses, query.limit, start)
    return Page(
        data=[ArtisanRow.of(row) for row in rows],
        next_cursor=pages.cursor_of(last, query.scope()),
    )


@artisans.route(
    "/v1/operator/artisans/{artisan_id}/verify",
    method="POST",
    access=Access.OPERATOR,
    answer=OwnProfile,
    summary="Vouch for an artisan, who may sell from then on",
)
def verify_artisan(call: Call[None, None]) -> OwnProfile:
    return OwnProfile.of(service.verify(call.path["artisan_id"]))


@artisans.route(
    "/v1/operator/artisans/{artisan_id}/reject",
    method="POST",
    access=Access.OPERATOR,
    body=ReasonBody,
    answer=OwnProfile,
    summary="Decline to vouch for an artisan, with the reason",
)
def reject_artisan(call: Call[ReasonBody, None]) -> OwnProfile:
    return OwnProfile.of(service.reject(call.path["artisan_id"], call.body.reason))


@artisans.route(
    "/v1/operator/artisans/{artisan_id}/suspend",
    method="POST",
    access=Access.OPERATOR,
    body=ReasonBody,
    answer=OwnProfile,
    summary="Take an artisan's work off the market, with the reason",
)
def suspend_artisan(call: Call[ReasonBody, None]) -> OwnProfile:
    return OwnProfile.of(service.suspend(call.path["artisan_id"], call.body.reason))


@artisans.route(
    "/v1/operator/artisans/{artisan_id}/reinstate",
    method="POST",
    access=Access.OPERATOR,
    answer=OwnProfile,
    summary="Let a suspended artisan sell again",
)
def reinstate_artisan(call: Call[None, None]) -> OwnProfile:
    return OwnProfile.of(service.reinstate(call.path["artisan_id"]))
