"""The crafts the marketplace knows: family, names in four languages, customs heading.

Families follow the cuts in which the Observatoire de l'Artisanat publishes exports. A heading is
the four digits of the Harmonised System that usually fit; a listing carries its own six digits,
and the exporter confirms those with the tariff.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FAMILIES: tuple[str, ...] = (
    "pottery_and_stone",
    "carpets",
    "traditional_clothing",
    "leather",
    "metal",
    "wood",
    "basketry",
    "jewellery",
    "blankets_and_textiles",
    "instruments_and_other",
)


@dataclass(frozen=True)
class Craft:
    """One craft. `names` has the keys ar, fr, en and zgh; `hs_heading` is four digits."""

    code: str
    family: str
    names: Mapping[str, str]
    hs_heading: str


# code, family, heading, Arabic, French, English, Tamazight
_ROWS: tuple[tuple[str, str, str, str, str, str, str], ...] = (
    ("zellige", "pottery_and_stone", "6907", "زليج", "Zellige", "Zellige tiles", "ⵣⵍⵍⵉⵊ"),
    ("pottery", "pottery_and_stone", "6912", "فخار", "Poterie", "Pottery", "ⵉⴷⵇⵇⵉ"),
    (
        "ceramics",
        "pottery_and_stone",
        "6913",
        "خزف للزينة",
        "Céramique ornementale",
        "Ornamental ceramics",
        "ⵉⴷⵇⵇⵉ ⵏ ⵓⵙⴼⵓⵍⴽⵉ",
    ),
    (
        "stone_carving",
        "pottery_and_stone",
        "6802",
        "نحت الحجر",
        "Pierre taillée",
        "Carved stone",
        "ⵉⵥⵔⴰ",
    ),
    ("tadelakt", "pottery_and_stone", "6802", "تادلاكت", "Tadelakt", "Tadelakt", "ⵜⴰⴷⵍⴰⴽⵜ"),
    (
        "carpet_knotted",
        "carpets",
        "5701",
        "زربية معقودة",
        "Tapis noué",
        "Knotted carpet",
        "ⵜⴰⵣⵔⴱⵉⵜ",
    ),
    ("kilim", "carpets", "5702", "كليم", "Kilim", "Kilim", "ⴽⵉⵍⵉⵎ"),
    ("hanbel", "carpets", "5702", "حنبل", "Hanbel", "Hanbel", "ⴰⵃⵏⴱⵍ"),
    ("boucherouite", "carpets", "5705", "بوشرويط", "Boucherouite", "Boucherouite", "ⴱⵓⵛⵔⵡⵉⵟ"),
    ("caftan", "traditional_clothing", "6204", "قفطان", "Caftan", "Caftan", "ⵇⴼⵟⴰⵏ"),
    ("takchita", "traditional_clothing", "6204", "تكشيطة", "Takchita", "Takchita", "ⵜⴰⴽⵛⵉⵟⴰ"),
    ("djellaba", "traditional_clothing", "6211", "جلابة", "Djellaba", "Djellaba", "ⵜⴰⵊⵍⵍⴰⴱⵉⵜ"),
    ("gandoura", "traditional_clothing", "6211", "قندورة", "Gandoura", "Gandoura", "ⵜⴰⴳⵏⴷⵓⵔⵜ"),
    ("embroidery", "traditional_clothing", "5810", "طرز", "Broderie", "Embroidery", "ⵟⵟⵔⵣ"),
    ("sfifa", "traditional_clothing", "5808", "سفيفة وعقاد", "Passementerie", "Braid", "ⵙⵙⴼⵉⴼⵜ"),
    ("leather_bag", "leather", "4202", "حقائب جلدية", "Sac en cuir", "Leather bag", "ⴰⵇⵔⴰⴱ ⵏ ⵢⵉⵍⵎ"),
    ("pouf", "leather", "4202", "بوف جلدي", "Pouf", "Pouf", "ⴱⵓⴼ"),
    ("babouches", "leather", "6403", "بلغة", "Babouches", "Babouches", "ⵉⴷⵓⴽⴰⵏ"),
    ("belt", "leather", "4203", "أحزمة جلدية", "Ceinture en cuir", "Leather belt", "ⵜⴰⴳⴳⵓⵙⵜ"),
    ("brassware", "metal", "7418", "نحاسيات", "Dinanderie", "Brass and copper ware", "ⴰⵏⴰⵙ"),
    ("lantern", "metal", "9405", "فوانيس", "Lanterne", "Lantern", "ⵍⴼⵏⴰⵔ"),
    ("wrought_iron", "metal", "7326", "حديد مطروق", "Fer forgé", "Wrought iron", "ⵓⵣⵣⴰⵍ"),
    ("damascening", "metal", "8306", "دمشقي", "Damasquinerie", "Damascened metal", "ⴷⴷⵎⵛⵇⵉ"),
    ("thuya", "wood", "4420", "خشب العرعار", "Bois de thuya", "Thuya wood", "ⴰⵣⵓⴽⴰ"),
    ("marquetry", "wood", "4420", "ترصيع الخشب", "Marqueterie", "Marquetry", "ⵜⵜⵔⵚⵉⵄ"),
    (
        "furniture",
        "wood",
        "9403",
        "أثاث منقوش",
        "Mobilier sculpté",
        "Carved furniture",
        "ⵉⵔⵓⴽⵓⵜⵏ ⵏ ⵓⵙⵖⴰⵔ",
    ),
    ("basketry", "basketry", "4602", "سلالة", "Vannerie", "Basketry", "ⵜⵉⵔⵢⴰⵍⵉⵏ"),
    ("raffia", "basketry", "4602", "رافيا", "Raphia", "Raffia", "ⵔⵔⴰⴼⵢⴰ"),
    (
        "silver_jewellery",
        "jewellery",
        "7113",
        "حلي فضية",
        "Bijoux en argent",
        "Silver jewellery",
        "ⴰⵥⵔⴼ",
    ),
    ("beads", "jewellery", "7117", "حلي الخرز", "Bijoux de perles", "Bead jewellery", "ⵜⵉⵄⵇⵇⴰⵢⵉⵏ"),
    ("handira", "blankets_and_textiles", "6301", "حنديرة", "Handira", "Handira", "ⵜⴰⵃⵏⴷⵉⵔⵜ"),
    (
        "wool_blanket",
        "blankets_and_textiles",
        "6301",
        "بطانية صوفية",
        "Couverture de laine",
        "Wool blanket",
        "ⵜⴰⴷⵓⵍⵉ",
    ),
    ("cushion", "blankets_and_textiles", "6304", "وسادة", "Coussin", "Cushion", "ⵜⴰⵙⵓⵎⵜⴰ"),
    (
        "table_linen",
        "blankets_and_textiles",
        "6302",
        "مفارش المائدة",
        "Linge de table",
        "Table linen",
        "ⵉⵎⵏⴷⵉⵍⵏ",
    ),
    ("oud", "instruments_and_other", "9202", "عود", "Oud", "Oud", "ⵍⵄⵓⴷ"),
    ("guembri", "instruments_and_other", "9202", "كمبري", "Guembri", "Guembri", "ⵍⴳⵎⴱⵔⵉ"),
    ("bendir", "instruments_and_other", "9206", "بندير", "Bendir", "Bendir", "ⵜⴰⵍⵍⵓⵏⵜ"),
    ("candle", "instruments_and_other", "3406", "شموع", "Bougie", "Candle", "ⵜⵉⵛⵎⵄⵉⵏ"),
)


def _craft(code: str, family: str, hs_heading: str, ar: str, fr: str, en: str, zgh: str) -> Craft:
    assert family in FAMILIES
    names = MappingProxyType({"ar": ar, "fr": fr, "en": en, "zgh": zgh})
    return Craft(code, family, names, hs_heading)


CRAFTS: dict[str, Craft] = {row[0]: _craft(*row) for row in _ROWS}
