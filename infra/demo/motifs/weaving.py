"""Carpets, blankets, embroideries, cushions and mats: flat things with a pattern."""

from collections.abc import Callable

from infra.demo.motifs.canvas import (
    Canvas,
    around,
    circle,
    lozenge,
    many,
    mixed,
    path,
    polygon,
    rect,
    star,
    tag,
    tiling,
)


def _hung(c: Canvas, inner: str, field: str, fringe: bool = True) -> str:
    """A textile hanging on a wall, 240 × 320, with or without fringes."""
    wall = mixed(c.ground, mixed(c.first, c.second, 40), 24)
    tassels = path(
        "M84 358v18" + "m8 -18v18" * 29, stroke=c.pale, stroke_width=3, stroke_linecap="round"
    )
    return (
        rect(0, 0, 400, 400, wall)
        + rect(88, 34, 240, 330, "#000000", opacity=0.16)
        + (tassels if fringe else "")
        + rect(80, 26, 240, 334, field)
        + inner
    )


def _pile(c: Canvas) -> str:
    """The soft lines of the weft over everything."""
    u = c.uid + "w"
    return tag("defs", tiling(u, 6, 4, rect(0, 0, 6, 1, "#000000", opacity=0.1))) + rect(
        80, 26, 240, 334, f"url(#{u})"
    )


def lozenges(c: Canvas) -> str:
    w, h = (60, 84) if c.pick(0, 2) else (80, 112)
    lines = c.deep if c.pick(1, 3) else c.first
    nested = lozenge(w / 2, h / 2, w * 0.22, h * 0.22, "none", stroke=lines, stroke_width=3.5)
    dot = lozenge(w / 2, h / 2, 6, 8, c.second)
    corner = "".join(lozenge(x, y, 6, 8, lines) for x in (0, w) for y in (0, h))
    extra = (nested, dot, nested + dot, corner + dot)[c.pick(2, 4)]
    net = lozenge(w / 2, h / 2, w / 2, h / 2, "none", stroke=lines, stroke_width=5) + extra
    u = c.uid + "l"
    return _hung(
        c,
        tag("defs", tiling(u, w, h, net, "translate(80 26)"))
        + rect(80, 26, 240, 334, f"url(#{u})")
        + _pile(c),
        mixed(c.pale, "#efe6d4", 50),
    )


def _stepped(x: float, y: float, size: float, fill: str) -> str:
    s = size / 4
    d = (
        f"M{x} {y - size}"
        + f"h{s}v{s}" * 4
        + f"h-{s}v{s}" * 4
        + f"h-{s}v-{s}" * 4
        + f"h{s}v-{s}" * 4
    )
    return path(d + "Z", fill)


def medallion(c: Canvas) -> str:
    u = c.uid + "m"
    border = tiling(u, 20, 20, rect(0, 0, 20, 20, c.deep) + lozenge(10, 10, 8, 8, c.second))
    centre = "".join(
        _stepped(200, y, size, fill)
        for y in ((193,) if c.pick(0, 2) else (128, 258))
        for size, fill in ((62, c.deep), (48, c.second), (34, c.pale), (20, c.first))
    )

    def sign(k: int) -> str:
        x, y = (126, 274)[k % 2], 76 + (k // 2) * 78
        marks = (
            lozenge(x, y, 10, 14, c.second) + lozenge(x, y, 4, 6, c.deep),
            path(
                f"M{x - 11} {y}h22M{x} {y - 13}v26M{x - 7} {y - 9}v18M{x + 7} {y - 9}v18",
                stroke=c.pale,
                stroke_width=3,
            ),
            polygon(star(x, y, 13, 6, 8), c.pale),
            path(f"M{x - 12} {y + 8}l6 -14l6 14l6 -14l6 14", stroke=c.second, stroke_width=4),
        )
        return marks[c.pick(k + 3, 4)]

    return _hung(
        c,
        tag("defs", border)
        + rect(80, 26, 240, 334, f"url(#{u})")
        + rect(100, 46, 200, 294, c.second)
        + rect(104, 50, 192, 286, c.first)
        + many(8, sign)
        + centre
        + _pile(c),
        c.deep,
    )


def scatter(c: Canvas) -> str:
    inks = (c.first, c.second, c.deep, mixed(c.second, c.first, 50), "#d9962a", "#1f6f7c")

    def mark(k: int) -> str:
        row, column = divmod(k, 4)
        x = 112 + column * 56 + c.pick(k, 20) - 10
        y = 58 + row * 45 + c.pick(k + 5, 20) - 10
        ink = inks[c.pick(k + 9, 6)]
        return (
            lozenge(x, y, 17, 20, "none", stroke=ink, stroke_width=6),
            lozenge(x, y, 13, 15, ink),
            path(f"M{x - 16} {y - 12}l11 24l11 -24l11 24", stroke=ink, stroke_width=6),
            path(f"M{x - 14} {y}h28M{x} {y - 16}v32", stroke=ink, stroke_width=6),
            rect(x - 18, y - 4, 38, 8, ink),
        )[c.pick(k + 13, 5)]

    return _hung(c, many(28, mark) + _pile(c), mixed("#f3ecdd", c.ground, 30))


def bands(c: Canvas) -> str:
    def band(k: int) -> str:
        y, u = 26 + k * 42, f"{c.uid}b{k}"
        field = (c.first, c.pale, c.deep, c.second)[(k + c.pick(0, 4)) % 4]
        ink = c.pale if field in (c.first, c.deep) else c.deep
        marks = (
            polygon(((0, 34), (10, 8), (20, 34)), ink),
            lozenge(10, 21, 10, 13, ink) + lozenge(10, 21, 4, 5, field),
            path("M0 32L10 10L20 32", stroke=ink, stroke_width=4),
            rect(8, 8, 4, 26, ink) + rect(2, 19, 16, 4, ink),
            "",
        )
        mark = marks[c.pick(k + 1, 5)]
        lines = rect(80, y, 240, 3, ink) + rect(80, y + 39, 240, 3, ink)
        if not mark:
            return rect(80, y, 240, 42, field) + lines
        pattern = tag("defs", tiling(u, 20, 42, mark, f"translate(80 {y})"))
        return rect(80, y, 240, 42, field) + pattern + rect(80, y, 240, 42, f"url(#{u})") + lines

    return _hung(c, many(8, band) + _pile(c), c.first)


def rags(c: Canvas) -> str:
    inks = (c.first, c.second, c.deep, c.light(40), "#d9962a", "#b8405a", "#2f7f86", "#efe4cf")

    def strip(k: int) -> str:
        row, column = divmod(k, 5)
        x, y = column * 24 + (row % 2) * 12, row * 15
        return path(
            f"M{x} {y + c.pick(k, 6)}l{14 + c.pick(k + 3, 10)} {c.pick(k + 8, 9) - 4}",
            stroke=inks[(c.pick(k + 11, 8) + row) % 8],
            stroke_width=11,
            stroke_linecap="round",
        )

    u = c.uid + "r"
    return _hung(
        c,
        tag("defs", tiling(u, 120, 120, rect(0, 0, 120, 120, c.deep) + many(40, strip)))
        + rect(80, 26, 240, 334, f"url(#{u})")
        + lozenge(200, 193, 70, 96, "none", stroke=c.pale, stroke_width=9, opacity=0.75),
        c.deep,
    )


def handira(c: Canvas) -> str:
    u = c.uid + "h"
    sequin = circle(9, 9, 5.5, "#d8d6cf") + circle(7.5, 7.5, 2, "#ffffff")
    tuft = path("M4 0v10M10 0v12M16 0v10", stroke=c.second, stroke_width=2)
    rows = many(
        8,
        lambda k: (
            rect(80, 34 + k * 42, 240, 18, f"url(#{u}s)")
            + rect(80, 56 + k * 42, 240, 5, (c.first, c.deep, c.second)[(k + c.pick(0, 3)) % 3])
            + (rect(80, 61 + k * 42, 240, 12, f"url(#{u}t)") if k % 2 == c.pick(1, 2) else "")
        ),
    )
    defs = tiling(u + "s", 18, 18, sequin, "translate(80 34)") + tiling(
        u + "t", 20, 42, tuft, "translate(80 19)"
    )
    return _hung(c, tag("defs", defs) + rows + _pile(c), mixed("#f7f1e4", c.ground, 30))


def blanket(c: Canvas) -> str:
    """Folded in two over a rail, with pompoms along its edge."""
    stripes = many(
        5 + c.pick(0, 3),
        lambda k: rect(
            80,
            60 + k * 40,
            240,
            (16, 8, 22)[c.pick(k, 3)],
            (c.first, c.second)[c.pick(k + 4, 3) % 2],
        ),
    )
    pompoms = many(9, lambda k: circle(88 + k * 28, 366, 11, (c.first, c.second)[k % 2]))
    return (
        _hung(c, stripes + _pile(c), mixed("#f6efe0", c.ground, 40), fringe=False)
        + pompoms
        + rect(62, 18, 276, 12, "#6f4e2c", rx=6)
    )


def _cross_stitch(ink: str, spots: str) -> str:
    """Small crosses where the rows of `spots` have an x."""
    rows = spots.split("/")
    return path(
        "".join(
            f"M{x * 5} {y * 5}l4 4m0 -4l-4 4"
            for y, row in enumerate(rows)
            for x, spot in enumerate(row)
            if spot == "x"
        ),
        stroke=ink,
        stroke_width=1.6,
    )


FES_TREE = (
    "....x..../...xxx.../..x.x.x../.x..x..x./x.x.x.x.x/...xxx.../....x..../..xxxxx../....x...."
)
FES_STAR = (
    "x...x...x/.x.xxx.x./..xx.xx../.xx...xx./xx..x..xx/.xx...xx./..xx.xx../.x.xxx.x./x...x...x"
)


def fes_stitch(c: Canvas) -> str:
    u, spots = c.uid + "e", (FES_TREE, FES_STAR)[c.pick(0, 2)]
    cloth = "#faf6ec"
    return (
        rect(0, 0, 400, 400, mixed(c.ground, c.first, 22))
        + rect(48, 50, 312, 312, "#000000", opacity=0.14)
        + rect(44, 44, 312, 312, cloth)
        + tag("defs", tiling(u, 52, 52, _cross_stitch(c.first, spots), "translate(46 46)"))
        + rect(44, 44, 312, 312, f"url(#{u})")
        + rect(98, 98, 204, 204, cloth)
        + around(8, path("M200 128l10 14l-10 14l-10 -14Z", c.first), u + "r")
        + polygon(star(200, 200, 38, 20, 8), "none", stroke=c.first, stroke_width=4)
        + polygon(star(200, 200, 20, 10, 8), c.second)
        + rect(98, 98, 204, 204, "none", stroke=c.first, stroke_width=2, stroke_dasharray="5 3")
    )


def rabat_stitch(c: Canvas) -> str:
    def flower(k: int) -> str:
        x, y, u = 200 + (k % 2 * 2 - 1) * 42, 88 + k * 62, f"{c.uid}g{k}"
        petal = path(f"M{x} {y}c16 -14 16 -34 0 -40c-16 6 -16 26 0 40Z", (c.first, c.second)[k % 2])
        return around(5 + c.pick(k, 3), petal, u, x, y) + circle(x, y, 9, c.pale)

    vine = path("M200 40C120 90 280 150 200 200S120 310 200 360", stroke=c.deep, stroke_width=5)
    leaves = many(
        6,
        lambda k: path(
            (
                f"M{176 + k % 2 * 40} {66 + k * 50}q{(k % 2 * 2 - 1) * 26} -4"
                f" {(k % 2 * 2 - 1) * 30} 20q{(1 - k % 2 * 2) * 24} 4 {(1 - k % 2 * 2) * 30} -20Z"
            ),
            mixed(c.deep, "#4f7a4a", 60),
        ),
    )
    return _hung(c, vine + leaves + many(5, flower), "#faf6ec", fringe=False)


def cushion(c: Canvas) -> str:
    u = c.uid + "c"
    outline = "M70 88Q200 72 330 88Q346 200 330 320Q200 336 70 320Q54 200 70 88Z"
    marks: tuple[Callable[[], str], ...] = (
        lambda: (
            lozenge(20, 20, 19, 19, c.second)
            + lozenge(20, 20, 10, 10, c.first)
            + lozenge(20, 20, 4, 4, c.pale)
        ),
        lambda: polygon(((0, 40), (20, 6), (40, 40)), c.second) + rect(0, 0, 40, 4, c.pale),
        lambda: rect(0, 0, 40, 10, c.second) + rect(0, 16, 40, 3, c.pale),
    )
    tassels = "".join(
        circle(x, y, 8, c.second)
        + path(f"M{x} {y}l{dx} {dy}", stroke=c.second, stroke_width=9, stroke_linecap="round")
        for x, y, dx, dy in (
            (68, 86, -16, -18),
            (332, 86, 16, -18),
            (68, 322, -16, 18),
            (332, 322, 16, 18),
        )
    )
    return (
        rect(0, 0, 400, 400, mixed(c.ground, c.second, 14))
        + path(outline, "#000", opacity=0.15, transform="translate(6 10)")
        + tassels
        + path(outline, c.first)
        + tag("defs", tiling(u, 40, 40, marks[c.pick(0, 3)](), "translate(0 4)"))
        + path(outline, f"url(#{u})")
        + path(outline, stroke=c.deep, stroke_width=4)
        + path("M84 104Q200 90 316 104Q270 150 84 150Z", "#ffffff", opacity=0.16)
    )


def linen(c: Canvas) -> str:
    u = c.uid + "n"
    leaf = path("M200 66C214 82 212 104 200 120C188 104 186 82 200 66Z", c.first)
    napkin = rect(236, 246, 116, 116, "#f4eee0", stroke=c.first, stroke_width=3)
    return (
        rect(0, 0, 400, 400, mixed(c.ground, c.first, 26))
        + rect(34, 34, 316, 316, "#000000", opacity=0.13)
        + rect(30, 30, 316, 316, "#fbf8f0")
        + rect(42, 42, 292, 292, "none", stroke=c.first, stroke_width=3, stroke_dasharray="9 5")
        + tag(
            "g",
            around(12, leaf, u)
            + circle(200, 200, 30, "none", stroke=c.first, stroke_width=4)
            + polygon(star(200, 200, 22, 12, 8), c.second),
            transform="translate(-12 -12)",
        )
        + tag(
            "g",
            napkin
            + lozenge(294, 304, 26, 26, "none", stroke=c.first, stroke_width=4)
            + lozenge(294, 304, 10, 10, c.second),
            transform="rotate(8 294 304)",
        )
    )


def reed_mat(c: Canvas) -> str:
    u = c.uid + "q"
    weave = (
        rect(0, 0, 10, 10, c.pale)
        + rect(0, 0, 5, 5, mixed(c.pale, c.first, 30))
        + rect(5, 5, 5, 5, mixed(c.pale, c.first, 30))
    )
    figures = many(
        3,
        lambda k: "".join(
            lozenge(
                200, 86 + k * 106, 96 - j * 24, 44 - j * 11, (c.first, c.pale, c.second, c.deep)[j]
            )
            for j in range(4)
        ),
    )
    return _hung(
        c,
        tag("defs", tiling(u, 10, 10, weave))
        + rect(80, 26, 240, 334, f"url(#{u})")
        + figures
        + rect(88, 34, 224, 318, "none", stroke=c.first, stroke_width=8)
        + _pile(c),
        c.pale,
        fringe=False,
    )
