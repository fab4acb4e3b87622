"""Turns a product, a tone and a size into titles, descriptions and alt texts per language."""

from infra.demo import sources
from infra.demo.sources import Row

UNITS = {"ar": "سم", "fr": "cm", "en": "cm", "zgh": "ⵙⵎ"}
COMMA = {"ar": "، ", "fr": ", ", "en": ", ", "zgh": ", "}
WORN_SIZE = {"ar": "المقاس {}", "fr": "taille {}", "en": "size {}"}
SHOE_SIZE = {"ar": "المقاس {}", "fr": "pointure {}", "en": "size {}"}
LANGUAGES = ("ar", "fr", "en")

DIMENSIONS = {
    "round": {
        "ar": "القطر {a} سم، الارتفاع {c} سم.",
        "fr": "Diamètre {a} cm, hauteur {c} cm.",
        "en": "Diameter {a} cm, height {c} cm.",
    },
    "disc": {"ar": "القطر {a} سم.", "fr": "Diamètre {a} cm.", "en": "Diameter {a} cm."},
    "tall": {
        "ar": "الارتفاع {c} سم، العرض {a} سم.",
        "fr": "Hauteur {c} cm, largeur {a} cm.",
        "en": "Height {c} cm, width {a} cm.",
    },
    "flat": {
        "ar": "المقاس {a} × {b} سم.",
        "fr": "Format {a} × {b} cm.",
        "en": "Size {a} × {b} cm.",
    },
    "box": {
        "ar": "{a} × {b} × {c} سم.",
        "fr": "{a} × {b} × {c} cm.",
        "en": "{a} × {b} × {c} cm.",
    },
    "long": {"ar": "الطول {a} سم.", "fr": "Longueur {a} cm.", "en": "Length {a} cm."},
}

IMAGE_OF = {
    "ar": "رسم يمثل: {}",
    "fr": "Dessin : {}",
    "en": "Drawing: {}",
    "zgh": "{}",
}


def centimetres(millimetres: int, language: str) -> str:
    """34 mm is "3.4", in French and Arabic "3,4"; whole numbers have no decimals."""
    whole, tenth = divmod(millimetres, 10)
    if not tenth:
        return str(whole)
    return f"{whole}.{tenth}" if language == "en" else f"{whole},{tenth}"


def size_label(product: Row, index: int, language: str) -> str | None:
    """What tells one size from another, or None where there is only one."""
    if len(product["sizes"]) == 1:
        return None
    kind, size = product["kind"], product["sizes"][index]
    if kind == "wear":
        form = SHOE_SIZE if product["craft"] == "babouches" else WORN_SIZE
        label = product["labels"][index]
        return form[language].format(label) if language in form else label
    a, b, c = (centimetres(side, language) for side in size[:3])
    unit = UNITS[language]
    if kind in ("flat", "box"):
        return f"{a} × {b} {unit}"
    return f"{c if kind == 'tall' else a} {unit}"


def dimensions(product: Row, index: int, language: str) -> str:
    kind, size = product["kind"], product["sizes"][index]
    if kind == "round" and size[2] < 10:
        kind = "disc"
    if kind not in DIMENSIONS:
        return ""
    a, b, c = (centimetres(side, language) for side in size[:3])
    return DIMENSIONS[kind][language].format(a=a, b=b, c=c)


def title(product: Row, tone: Row, index: int, language: str) -> str:
    text: str = product[language][0].format(tone=tone.get(language, ""))
    label = size_label(product, index, language)
    return text if label is None else text + COMMA[language] + label


def description(product: Row, index: int, language: str, town: Row, family: str, turn: int) -> str:
    closings = sources.closings()[family][language]
    closing = closings[turn % len(closings)].format(town=town["names"][language])
    parts = (product[language][1], dimensions(product, index, language), closing)
    return " ".join(part for part in parts if part)


def texts(
    product: Row, tone: Row, index: int, town: Row, family: str, turn: int
) -> dict[str, dict[str, str]]:
    """Title and description per language; Tamazight where product and tone have it."""
    told = {
        language: {
            "title": title(product, tone, index, language),
            "description": description(product, index, language, town, family, turn),
        }
        for language in LANGUAGES
    }
    if "zgh" in product and "zgh" in tone:
        told["zgh"] = {
            "title": title(product, tone, index, "zgh"),
            "description": product["zgh"][1],
        }
    return told


def alt_texts(told: dict[str, dict[str, str]]) -> dict[str, str]:
    return {language: IMAGE_OF[language].format(text["title"]) for language, text in told.items()}
