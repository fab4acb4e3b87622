"""Baskets, raffia and shades."""

from infra.demo.motifs.canvas import (
    Canvas,
    circle,
    clipped,
    ellipse,
    lozenge,
    many,
    mixed,
    niche,
    path,
    rect,
    shadow,
    tag,
    tiling,
)


def _weave(c: Canvas, name: str, size: int = 16) -> str:
    h = size // 2
    light, dark = mixed(c.first, "#fff3d6", 35), c.shade(14)
    straw = (
        rect(0, 0, size, size, dark)
        + rect(1, 1, h - 1, h - 1, light, rx=2)
        + rect(h + 1, h + 1, h - 1, h - 1, light, rx=2)
    )
    return tag(
        "defs",
        tiling(
            c.uid + name, size, size, straw + rect(h, 0, h, h, c.first) + rect(0, h, h, h, c.first)
        ),
    )


def _trim(c: Canvas, y: int, x0: int, x1: int) -> str:
    if c.pick(0, 2):
        inks = (c.second, "#1f6f7c", "#d9962a", "#b75c6a")
        return many((x1 - x0) // 26 + 1, lambda k: circle(x0 + k * 26, y, 12, inks[k % 4]))
    return many((x1 - x0) // 26 + 1, lambda k: lozenge(x0 + k * 26, y, 12, 15, c.second))


def basket(c: Canvas) -> str:
    body = "M62 190H338C334 270 300 340 262 342H138C100 340 66 270 62 190Z"
    handles = path(
        "M128 196C128 70 190 70 196 110M272 196C272 70 210 70 204 110",
        stroke="#6f4222",
        stroke_width=12,
        stroke_linecap="round",
    )
    return (
        niche(c)
        + shadow(130)
        + handles
        + _weave(c, "w")
        + path(body, f"url(#{c.uid}w)")
        + path("M330 190C322 270 290 330 250 342H262C300 340 334 270 338 190Z", "#000", opacity=0.2)
        + rect(58, 182, 284, 16, c.shade(22), rx=8)
        + _trim(c, 246, 96, 306)
    )


def lidded(c: Canvas) -> str:
    lid = "M200 62C214 120 290 150 322 210H78C110 150 186 120 200 62Z"
    body = "M86 216H314C318 270 296 330 276 342H124C104 330 82 270 86 216Z"
    rings = "".join(
        path(f"M90 {y}Q200 {y + 16} 310 {y}", stroke=c.shade(20), stroke_width=2)
        for y in range(226, 336, 12)
    )
    zigzag = path(
        "M82 286l20 -30" + "l20 30l20 -30" * 5 + "l16 24", stroke=c.second, stroke_width=9
    )
    return (
        niche(c)
        + shadow(112)
        + _weave(c, "w", 12)
        + clipped(
            c.uid + "b",
            path(body, "#000"),
            rect(0, 0, 400, 400, f"url(#{c.uid}w)") + rings + zigzag,
        )
        + clipped(
            c.uid + "l",
            path(lid, "#000"),
            rect(0, 0, 400, 400, f"url(#{c.uid}w)")
            + path("M96 190l16 -22" + "l16 22l16 -22" * 6, stroke=c.second, stroke_width=7),
        )
        + rect(74, 204, 252, 14, c.shade(24), rx=7)
        + circle(200, 58, 12, c.second)
    )


def raffia_bag(c: Canvas) -> str:
    body = (
        "M84 166H316Q332 166 332 184L320 316Q318 340"
        " 292 340H108Q82 340 80 316L68 184Q68 166 84 166Z"
    )
    loops = tag(
        "defs",
        tiling(
            c.uid + "k",
            16,
            14,
            rect(0, 0, 16, 14, c.first)
            + path("M0 10Q8 -6 16 10M-8 3Q0 -13 8 3", stroke=c.shade(20), stroke_width=2.5),
        ),
    )
    return (
        niche(c)
        + shadow(130)
        + path("M112 170C112 56 288 56 288 170", stroke="#7a4a26", stroke_width=11)
        + loops
        + path(body, f"url(#{c.uid}k)")
        + path("M76 260L324 260L321 300L79 300Z", c.second, opacity=0.85)
        + many(9, lambda k: lozenge(96 + k * 26, 280, 10, 13, c.pale))
        + path("M160 160H240V214Q200 240 160 214Z", "#7a4a26")
        + circle(200, 206, 9, "#d2a03c")
    )


def coaster(c: Canvas) -> str:
    def disc(x: int, y: int, r: int) -> str:
        rings = "".join(
            circle(
                x,
                y,
                q,
                "none",
                stroke=(c.first, c.shade(12), c.second)[(k + c.pick(1, 3)) % 3],
                stroke_width=9,
            )
            for k, q in enumerate(range(8, r - 8, 9))
        )
        edge = circle(x, y, r, c.first, stroke=c.light(40), stroke_width=9, stroke_dasharray="13 6")
        return circle(x + 5, y + 7, r + 2, "#000", opacity=0.15) + edge + rings

    spots = ((130, 134, 84), (268, 152, 70), (184, 270, 96), (312, 280, 60))
    return rect(0, 0, 400, 400, mixed(c.ground, c.second, 12)) + "".join(
        disc(*spot) for spot in spots
    )


def shade(c: Canvas) -> str:
    bell = "M170 130H230C300 160 338 220 346 270H54C62 220 100 160 170 130Z"
    rays = path("M70 290L30 400H370L330 290Z", "#ffd778", opacity=0.3)
    ribs = path(
        (
            "M180 130C120 170 96 220 90 270M192 130C160 180 150 220 148 270"
            "M208 130C240 180 250 220 252 270M220 130C280 170 304 220 310 270"
        ),
        stroke=c.shade(32),
        stroke_width=4,
    )
    return (
        rect(0, 0, 400, 400, mixed(c.ground, "#3b3128", 26))
        + circle(200, 270, 150, "#ffd778", opacity=0.2)
        + rays
        + path("M200 0V124", stroke="#4a3322", stroke_width=5)
        + _weave(c, "w", 14)
        + path(bell, f"url(#{c.uid}w)")
        + ribs
        + rect(168, 118, 64, 16, c.shade(30), rx=6)
        + rect(48, 264, 304, 14, c.shade(24), rx=7)
        + ellipse(200, 278, 40, 16, "#fff1c4")
    )
