"""The 12 regions of Morocco and how far the rollout is in each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from chalicelib.errors import Conflict, NotFound


class RegionStatus(StrEnum):
    PLANNED = "planned"
    PILOT = "pilot"
    LIVE = "live"
    PAUSED = "paused"


OPEN = frozenset({RegionStatus.PILOT, RegionStatus.LIVE})

MOVES: dict[RegionStatus, frozenset[RegionStatus]] = {
    RegionStatus.PLANNED: frozenset({RegionStatus.PILOT, RegionStatus.LIVE}),
    RegionStatus.PILOT: frozenset({RegionStatus.LIVE, RegionStatus.PAUSED}),
    RegionStatus.LIVE: frozenset({RegionStatus.PAUSED}),
    RegionStatus.PAUSED: frozenset({RegionStatus.PILOT, RegionStatus.LIVE}),
}


def _names(ar: str, fr: str, en: str, zgh: str) -> Mapping[str, str]:
    return MappingProxyType({"ar": ar, "fr": fr, "en": en, "zgh": zgh})


# ISO 3166-2:MA, the division of 2015.
NAMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "MA-01": _names(
            "طنجة تطوان الحسيمة",
            "Tanger-Tétouan-Al Hoceïma",
            "Tangier-Tetouan-Al Hoceima",
            "ⵟⴰⵏⵊⴰ ⵜⵉⵟⵟⴰⵡⵉⵏ ⵍⵃⵓⵙⵉⵎⴰ",
        ),
        "MA-02": _names("الشرق", "L'Oriental", "Oriental", "ⵜⴰⴳⵎⵓⴹⴰⵏⵜ"),
        "MA-03": _names("فاس مكناس", "Fès-Meknès", "Fez-Meknes", "ⴼⴰⵙ ⵎⴽⵏⴰⵙ"),
        "MA-04": _names(
            "الرباط سلا القنيطرة",
            "Rabat-Salé-Kénitra",
            "Rabat-Sale-Kenitra",
            "ⵔⵔⴱⴰⵟ ⵙⵍⴰ ⵇⵏⵉⵟⵔⴰ",
        ),
        "MA-05": _names(
            "بني ملال خنيفرة",
            "Béni Mellal-Khénifra",
            "Beni Mellal-Khenifra",
            "ⴰⵢⵜ ⵎⵍⵍⴰⵍ ⵅⵏⵉⴼⵕⴰ",
        ),
        "MA-06": _names(
            "الدار البيضاء سطات",
            "Casablanca-Settat",
            "Casablanca-Settat",
            "ⵜⵉⴳⵎⵎⵉ ⵜⵓⵎⵍⵉⵍⵜ ⵙⵟⵟⴰⵜ",
        ),
        "MA-07": _names("مراكش آسفي", "Marrakech-Safi", "Marrakesh-Safi", "ⵎⵕⵕⴰⴽⵛ ⴰⵙⴼⵉ"),
        "MA-08": _names("درعة تافيلالت", "Drâa-Tafilalet", "Draa-Tafilalet", "ⴷⴰⵔⵄⴰ ⵜⴰⴼⵉⵍⴰⵍⵜ"),
        "MA-09": _names("سوس ماسة", "Souss-Massa", "Souss-Massa", "ⵙⵓⵙ ⵎⴰⵙⵙⴰ"),
        "MA-10": _names(
            "كلميم واد نون", "Guelmim-Oued Noun", "Guelmim-Oued Noun", "ⴳⵍⵎⵉⵎ ⴰⵙⵉⴼ ⵏ ⵏⵓⵏ"
        ),
        "MA-11": _names(
            "العيون الساقية الحمراء",
            "Laâyoune-Sakia El Hamra",
            "Laayoune-Sakia El Hamra",
            "ⵍⵄⵢⵓⵏ ⵜⴰⵔⴳⴳⵯⴰ ⵜⴰⵣⴳⴳⵯⴰⵖⵜ",
        ),
        "MA-12": _names(
            "الداخلة وادي الذهب",
            "Dakhla-Oued Ed-Dahab",
            "Dakhla-Oued Ed-Dahab",
            "ⴷⴷⴰⵅⵍⴰ ⵡⴰⴷ ⴷⴷⴰⵀⴰⴱ",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Region:
    code: str
    status: RegionStatus

    @property
    def names(self) -> Mapping[str, str]:
        return NAMES[self.code]

    @property
    def is_open(self) -> bool:
        """Whether its artisans' work is shown and sold."""
        return self.status in OPEN


class NoSuchRegion(NotFound):
    """There is no region of this code; regions are ISO 3166-2, such as `MA-03`."""

    code = "region_not_found"


class IllegalRegionMove(Conflict):
    """A region cannot go from its status to the one asked for; `allowed` says where it can go."""

    code = "illegal_region_move"


def is_region(code: str) -> bool:
    return code in NAMES


def check_move(region: Region, to: RegionStatus) -> None:
    """
    Raises:
        IllegalRegionMove: `to` does not follow the region's status in MOVES.
    """
    if to not in MOVES[region.status]:
        allowed = sorted(MOVES[region.status])
        raise IllegalRegionMove(
            f"{region.code} is {region.status}; it can become {' or '.join(allowed)}",
            extra={"current": region.status, "allowed": allowed},
        )
