"""Bodies of the artisans' routes."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, RootModel
from pydantic_core import PydanticCustomError

from chalicelib import rib
from chalicelib.artisans.domain import (
    Artisan,
    ArtisanStatus,
    ArtisanSummary,
    DestinationKind,
    Profile,
    SealedDestination,
)
from chalicelib.crafts import CRAFTS
from chalicelib.edge.pages import PageQuery
from chalicelib.edge.schemas import AnswerBody, Moment, RequestBody
from chalicelib.edge.texts import line, prose
from chalicelib.locales import Language, text_in
from chalicelib.regions.schemas import RegionCode

MAX_CRAFTS = 10
_CARD_NUMBER = re.compile(r"\d[ -]?(?:\d[ -]?){11,}")


def known_craft(code: str) -> str:
    if code not in CRAFTS:
        raise PydanticCustomError("unknown_craft", "name one of /v1/crafts")
    return code


def _valid_rib(text: str) -> str:
    if not rib.is_valid_rib(text):
        raise PydanticCustomError("invalid_rib", "a RIB is 24 digits that end in their key")
    return rib.normalise(text)


def _not_a_card_number(token: str) -> str:
    if _CARD_NUMBER.search(token):
        raise PydanticCustomError("card_number", "never send a card number; send its token")
    return token


def _upper(text: Any) -> Any:
    return text.replace(" ", "").upper() if isinstance(text, str) else text


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("repeated", "name each one once")
    return values


CraftCode = Annotated[str, Field(max_length=40), AfterValidator(known_craft)]
Phone = Annotated[
    str,
    Field(
        pattern=r"^\+212[5-8][0-9]{8}$", max_length=13, description="E.164, such as +212612345678"
    ),
]
Mobile = Annotated[str, Field(pattern=r"^\+212[67][0-9]{8}$", max_length=13)]
Cin = Annotated[
    str, BeforeValidator(_upper), Field(pattern=r"^[A-Z]{1,2}[0-9]{1,7}$", max_length=9)
]
Crafts = Annotated[
    list[CraftCode], Field(min_length=1, max_length=MAX_CRAFTS), AfterValidator(_distinct)
]
Languages = Annotated[list[Language], Field(min_length=1, max_length=4), AfterValidator(_distinct)]
Story = Annotated[dict[Language, prose(2000)], Field(max_length=4)]
Reason = prose(500)


class Registration(RequestBody):
    """`cin` is never stored: a keyed hash and its last characters are."""

    name: line(120)
    phone: Phone
    region: RegionCode
    town: line(80)
    crafts: Crafts
    languages: Languages
    workshop_name: line(120) | None = None
    national_register_number: Annotated[
        str | None, Field(pattern=r"^[A-Za-z0-9/-]{3,30}$", max_length=30)
    ] = None
    cin: Cin | None = None
    story: Story = {}

    def to_profile(self) -> Profile:
        return Profile(
            name=self.name,
            phone=self.phone,
            region=self.region,
            town=self.town,
            crafts=tuple(self.crafts),
            languages=tuple(map(str, self.languages)),
            workshop_name=self.workshop_name,
            national_register_number=self.national_register_number,
            story={str(language): text for language, text in self.story.items()},
        )


class ProfileChanges(RequestBody):
    """Fields that are left out stay; `workshop_name` may be taken away with null."""

    name: line(120) = Field(default=None)
    phone: Phone = Field(default=None)
    region: RegionCode = Field(default=None)
    town: line(80) = Field(default=None)
    crafts: Crafts = Field(default=None)
    languages: Languages = Field(default=None)
    workshop_name: line(120) | None = None
    story: Story = Field(default=None)

    def to_changes(self) -> dict[str, Any]:
        changes = self.model_dump(exclude_unset=True, mode="json")
        return {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in changes.items()
        }


class VerificationRequest(RequestBody):
    documents: Annotated[list[line(120)], Field(min_length=1, max_length=10)]


class BankAccountBody(RequestBody):
    kind: Literal[DestinationKind.BANK_ACCOUNT]
    rib: Annotated[str, Field(max_length=40), AfterValidator(_valid_rib)]

    @property
    def value(self) -> str:
        return self.rib


class WalletBody(RequestBody):
    kind: Literal[DestinationKind.WALLET]
    phone: Mobile

    @property
    def value(self) -> str:
        return self.phone


class CardBody(RequestBody):
    kind: Literal[DestinationKind.CARD]
    token: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$"), AfterValidator(_not_a_card_number)
    ]

    @property
    def value(self) -> str:
        return self.token


class DestinationBody(
    RootModel[Annotated[BankAccountBody | WalletBody | CardBody, Field(discriminator="kind")]]
):
    """Where payouts go: a bank account, a wallet, or a card by its token."""


class ReasonBody(RequestBody):
    reason: Reason


class ArtisansQuery(PageQuery):
    status: ArtisanStatus | None = None


class DestinationView(AnswerBody):
    """Masked: the whole number is never answered."""

    kind: DestinationKind
    masked: str
    changed_at: Moment
    usable_from: Moment

    @classmethod
    def of(cls, kept: SealedDestination) -> "DestinationView":
        return cls(
            kind=kept.kind,
            masked=kept.masked,
            changed_at=kept.changed_at,
            usable_from=kept.usable_from,
        )


class OwnProfile(AnswerBody):
    """An artisan as they see themselves."""

    id: str
    status: ArtisanStatus
    status_reason: str | None
    name: str
    workshop_name: str | None
    phone: str
    region: str
    town: str
    crafts: list[str]
    languages: list[str]
    national_register_number: str | None
    cin_last: str | None
    story: dict[str, str]
    documents: list[str]
    payout_destination: DestinationView | None
    registered_at: Moment

    @classmethod
    def of(cls, artisan: Artisan) -> "OwnProfile":
        profile, destination = artisan.profile, artisan.destination
        return cls(
            id=artisan.artisan_id,
            status=artisan.status,
            status_reason=artisan.reason,
            name=profile.name,
            workshop_name=profile.workshop_name,
            phone=profile.phone,
            region=profile.region,
            town=profile.town,
            crafts=list(profile.crafts),
            languages=list(profile.languages),
            national_register_number=profile.national_register_number,
            cin_last=artisan.cin_last,
            story=dict(profile.story),
            documents=list(artisan.documents),
            payout_destination=DestinationView.of(destination) if destination else None,
            registered_at=artisan.registered_at,
        )


class PublicProfile(AnswerBody):
    """An artisan as buyers see them: nothing that identifies them beyond the name over the shop."""

    id: str
    name: str
    region: str
    town: str
    crafts: list[str]
    languages: list[str]
    story: str
    verified: bool

    @classmethod
    def of(cls, artisan: Artisan, language: str) -> "tuple[PublicProfile, str]":
        """(the profile, the language its story is in)."""
        profile = artisan.profile
        story, written_in = text_in(profile.story, language)
        view = cls(
            id=artisan.artisan_id,
            name=artisan.display_name,
            region=profile.region,
            town=profile.town,
            crafts=list(profile.crafts),
            languages=list(profile.languages),
            story=story,
            verified=artisan.is_verified,
        )
        return view, written_in


class ArtisanRow(AnswerBody):
    """An artisan in the operators' list."""

    id: str
    status: ArtisanStatus
    name: str
    workshop_name: str | None
    region: str
    town: str
    crafts: list[str]
    registered_at: Moment
    status_at: Moment

    @classmethod
    def of(cls, row: ArtisanSummary) -> "ArtisanRow":
        return cls(
            id=row.artisan_id,
            status=row.status,
            name=row.name,
            workshop_name=row.workshop_name,
            region=row.region,
            town=row.town,
            crafts=list(row.crafts),
            registered_at=row.registered_at,
            status_at=row.status_at,
        )
