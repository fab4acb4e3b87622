"""The collections that operators curate: names in the languages they have been written in."""

from collections.abc import Mapping
from types import MappingProxyType

COLLECTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "blue-of-fes": {"ar": "أزرق فاس", "fr": "Le bleu de Fès", "en": "Blue of Fes"},
        "the-moroccan-table": {
            "ar": "المائدة المغربية",
            "fr": "La table marocaine",
            "en": "The Moroccan table",
        },
        "house-and-riad": {"ar": "البيت والرياض", "fr": "Maison et riad", "en": "House and riad"},
        "atlas-looms": {
            "ar": "مناسج الأطلس",
            "fr": "Métiers de l'Atlas",
            "en": "Looms of the Atlas",
            "zgh": "ⵉⵣⴹⵡⴰⵏ ⵏ ⵡⴰⵟⵍⴰⵙ",
        },
        "hands-of-the-mountain": {
            "ar": "أيادي الجبل",
            "fr": "Mains de la montagne",
            "en": "Hands of the mountain",
            "zgh": "ⵉⴼⴰⵙⵙⵏ ⵏ ⵓⴷⵔⴰⵔ",
        },
        "city-workshops": {
            "ar": "ورشات المدينة",
            "fr": "Ateliers de la ville",
            "en": "City workshops",
        },
        "days-of-celebration": {
            "ar": "أيام الفرح",
            "fr": "Jours de fête",
            "en": "Days of celebration",
        },
        "light-and-shadow": {"ar": "ضوء وظل", "fr": "Ombre et lumière", "en": "Light and shadow"},
        "workshops-of-the-ramparts": {
            "ar": "ورشات الأسوار",
            "fr": "Ateliers des remparts",
            "en": "Workshops of the ramparts",
        },
        "silver-of-the-souss": {
            "ar": "فضة سوس",
            "fr": "L'argent du Souss",
            "en": "Silver of the Souss",
            "zgh": "ⴰⵥⵔⴼ ⵏ ⵙⵓⵙ",
        },
        "sounds-of-morocco": {
            "ar": "أصوات المغرب",
            "fr": "Sons du Maroc",
            "en": "Sounds of Morocco",
        },
    }
)
