"""Placeholder drawings of the demo listings: one SVG per piece, by its craft and its seed text."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.demo.motifs import clay, dress, metal, music, plaiting, weaving, wood
from infra.demo.motifs.canvas import Canvas, rect, tag

Motif = Callable[[Canvas], str]

SHAPES: dict[str, Motif] = {
    "tiles": clay.tiles,
    "star": clay.star_panel,
    "round": clay.round_table,
    "frame": clay.framed,
    "tagine": clay.tagine,
    "platter": clay.platter,
    "bowl": clay.bowl,
    "jar": clay.jar,
    "vase": clay.vase,
    "lamp": clay.lamp,
    "mortar": clay.mortar,
    "basin": clay.basin,
    "lozenges": weaving.lozenges,
    "medallion": weaving.medallion,
    "scatter": weaving.scatter,
    "bands": weaving.bands,
    "rags": weaving.rags,
    "handira": weaving.handira,
    "blanket": weaving.blanket,
    "fes": weaving.fes_stitch,
    "rabat": weaving.rabat_stitch,
    "cushion": weaving.cushion,
    "linen": weaving.linen,
    "mat": weaving.reed_mat,
    "caftan": dress.caftan,
    "takchita": dress.takchita,
    "djellaba": dress.djellaba,
    "gandoura": dress.gandoura,
    "braid": dress.braid,
    "buttons": dress.buttons,
    "bag": dress.bag,
    "pouf": dress.pouf,
    "babouche": dress.babouche,
    "cherbil": dress.idoukan,
    "idoukan": dress.idoukan,
    "belt": dress.belt,
    "pouch": dress.pouch,
    "tray": metal.tray,
    "teapot": metal.teapot,
    "lantern": metal.lantern,
    "globe": metal.globe,
    "grille": metal.grille,
    "fibula": metal.fibula,
    "bracelet": metal.bracelet,
    "earrings": metal.earrings,
    "necklace": metal.necklace,
    "box": wood.box,
    "board": wood.board,
    "table": wood.table,
    "door": wood.door,
    "basket": plaiting.basket,
    "lidded": plaiting.lidded,
    "raffia_bag": plaiting.raffia_bag,
    "coaster": plaiting.coaster,
    "shade": plaiting.shade,
    "oud": music.oud,
    "guembri": music.guembri,
    "drum": music.drum,
    "candle": music.candle,
}

# What a craft is drawn as when no shape is named.
SHAPES_OF_CRAFT: dict[str, tuple[str, ...]] = {
    "zellige": ("star", "tiles", "round", "frame"),
    "pottery": ("tagine", "bowl", "platter", "jar"),
    "ceramics": ("platter", "vase", "jar", "lamp"),
    "stone_carving": ("mortar", "basin"),
    "tadelakt": ("jar", "bowl"),
    "carpet_knotted": ("lozenges", "medallion", "scatter"),
    "kilim": ("bands",),
    "hanbel": ("bands",),
    "boucherouite": ("rags",),
    "caftan": ("caftan",),
    "takchita": ("takchita",),
    "djellaba": ("djellaba",),
    "gandoura": ("gandoura",),
    "embroidery": ("fes", "rabat"),
    "sfifa": ("braid", "buttons"),
    "leather_bag": ("bag", "pouch"),
    "pouf": ("pouf",),
    "babouches": ("babouche", "idoukan"),
    "belt": ("belt",),
    "brassware": ("tray", "teapot"),
    "lantern": ("lantern", "globe"),
    "wrought_iron": ("grille",),
    "damascening": ("tray",),
    "thuya": ("box", "board"),
    "marquetry": ("board",),
    "furniture": ("table", "door"),
    "basketry": ("basket", "lidded", "mat", "shade"),
    "raffia": ("raffia_bag", "coaster"),
    "silver_jewellery": ("fibula", "bracelet", "earrings"),
    "beads": ("necklace",),
    "handira": ("handira",),
    "wool_blanket": ("blanket",),
    "cushion": ("cushion",),
    "table_linen": ("linen",),
    "oud": ("oud",),
    "guembri": ("guembri",),
    "bendir": ("drum",),
    "candle": ("candle",),
}

PALETTES: tuple[tuple[str, str, str], ...] = (
    ("#f4efe2", "#1f4e9c", "#6f9bd1"),
    ("#e9e2c8", "#1f6b4c", "#c9a24a"),
    ("#f0dcc2", "#a8301f", "#e0973a"),
    ("#f7ecd0", "#d9962a", "#7a3b1d"),
    ("#eef3ea", "#1f8a8c", "#e0a63b"),
    ("#f6e4da", "#b75c6a", "#8a3a52"),
    ("#ebe5d6", "#27366b", "#c7663f"),
    ("#f2e2cb", "#9a5427", "#5c2f15"),
)


def draw(
    craft: str,
    seed_text: str,
    width: int = 800,
    height: int = 800,
    *,
    shape: str | None = None,
    colours: tuple[str, ...] | None = None,
) -> str:
    """An SVG of `width` × `height` pixels; the same arguments give the same text.

    `shape` and `colours` (ground, first, second) follow from the seed text when not given.

    Raises:
        KeyError: the craft or the shape is not known here.
    """
    seed = Canvas(f"{craft}/{seed_text}", "", "", "")
    choices = SHAPES_OF_CRAFT[craft]
    motif = SHAPES[shape or choices[seed.pick(30, len(choices))]]
    ground, first, second = colours or PALETTES[seed.pick(31, len(PALETTES))]
    canvas = Canvas(seed.seed_text, ground, first, second)
    return tag(
        "svg",
        rect(0, 0, 400, 400, ground) + motif(canvas),
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox="0 0 400 400",
        preserveAspectRatio="xMidYMid slice",
    )


@dataclass(frozen=True)
class Picture:
    """A drawing that is made when it is asked for: picture() is SVG text."""

    craft: str
    seed_text: str
    shape: str
    colours: tuple[str, ...]

    def __call__(self) -> str:
        return draw(self.craft, self.seed_text, shape=self.shape, colours=self.colours)
