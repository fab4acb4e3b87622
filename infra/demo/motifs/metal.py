"""Brass, lanterns, iron, silver and beads."""

import math

from infra.demo.motifs.canvas import (
    Canvas,
    around,
    circle,
    clipped,
    ellipse,
    lozenge,
    many,
    mixed,
    niche,
    path,
    polygon,
    rect,
    shadow,
    star,
    tag,
    tiling,
)

GLOW = "#ffd778"


def tray(c: Canvas) -> str:
    u, n = c.uid, (12, 16, 8)[c.pick(0, 3)]
    thin = {"stroke": c.second, "stroke_width": 2.5}
    arc = path("M200 44Q232 84 200 118Q168 84 200 44Z", "none", **thin)
    inner = path("M200 124Q218 150 200 172Q182 150 200 124Z", c.second, opacity=0.75)
    return (
        rect(0, 0, 400, 400, c.ground)
        + circle(208, 214, 176, "#000", opacity=0.25)
        + circle(200, 200, 176, c.second)
        + circle(200, 200, 171, c.first)
        + circle(200, 200, 158, c.light(16))
        + circle(
            200,
            200,
            163,
            "none",
            stroke=c.second,
            stroke_width=9,
            stroke_linecap="round",
            stroke_dasharray="0 16",
        )
        + around(n, arc, u + "b")
        + around(n, arc, u + "c", turn=180 / n)
        + circle(200, 200, 84, "none", **thin)
        + around(n, inner, u + "d")
        + polygon(star(200, 200, 46, 28, n), "none", **thin)
        + polygon(star(200, 200, 26, 13, 8), c.second)
        + path("M70 130A150 150 0 0 1 190 50", stroke="#fff", stroke_width=12, opacity=0.35)
    )


def teapot(c: Canvas) -> str:
    body = "M132 190C92 230 100 300 148 328H252C300 300 308 230 268 190Z"
    marks = tag(
        "defs",
        tiling(
            c.uid + "p", 24, 24, lozenge(12, 12, 9, 10, "none", stroke=c.second, stroke_width=2)
        ),
    )
    spout = path("M282 268C330 262 318 196 352 172L362 184C340 210 352 290 276 304Z", c.first)
    handle = path("M116 214C40 190 40 310 124 300", stroke=c.shade(18), stroke_width=13)
    lid = path("M136 188C140 130 176 112 200 104C224 112 260 130 264 188Z", c.light(14)) + circle(
        200, 92, 10, c.second
    )
    return (
        niche(c)
        + shadow(120)
        + handle
        + spout
        + path(body, c.first)
        + marks
        + path(body, f"url(#{c.uid}p)")
        + lid
        + rect(128, 184, 144, 12, c.second, rx=6)
        + path("M148 328H252L264 342H136Z", c.shade(16))
        + path("M140 210C122 240 126 284 150 308", stroke="#fff", stroke_width=9, opacity=0.45)
        + path("M156 166Q200 178 244 166", stroke=c.second, stroke_width=3)
    )


def lantern(c: Canvas) -> str:
    u = c.uid
    hole = (
        polygon(star(12, 14, 8, 4, 6), GLOW),
        lozenge(12, 14, 5, 8, GLOW),
        circle(12, 14, 5, GLOW) + circle(0, 0, 3, GLOW),
        polygon(star(12, 14, 9, 5, 8), GLOW),
    )[c.pick(0, 4)]
    sides = "M136 168H264L278 300H122Z"
    dome = "M140 164C146 110 186 96 200 62C214 96 254 110 260 164Z"
    rays = around(12, path("M200 60L212 12H188Z", GLOW, opacity=0.1), u + "r", 200, 230)
    return (
        niche(c)
        + circle(200, 230, 150, GLOW, opacity=0.2)
        + rays
        + shadow(96)
        + circle(200, 48, 13, "none", stroke=c.first, stroke_width=5)
        + tag("defs", tiling(u + "h", 24, 28, hole, "translate(140 168)"))
        + path(dome, c.first)
        + path(dome, f"url(#{u}h)")
        + path(sides, c.shade(10))
        + path(sides, f"url(#{u}h)")
        + path("M178 168L174 300M222 168L226 300", stroke=c.light(25), stroke_width=4)
        + path("M186 300V216Q200 186 214 216V300Z", GLOW, stroke=c.first, stroke_width=4)
        + rect(130, 160, 140, 12, c.light(22), rx=3)
        + rect(114, 296, 172, 14, c.light(22), rx=3)
        + path("M126 310H274L262 342H250L244 322H156L150 342H138Z", c.shade(14))
    )


def globe(c: Canvas) -> str:
    u = c.uid
    hole = polygon(star(0, 0, 10, 4.5, 6 + 2 * c.pick(1, 2)), GLOW, id=u + "o")
    rows = tag("defs", hole) + "".join(
        tag("use", href=f"#{u}o", transform=f"translate({x:.0f} {214 + y}) scale({size:.2f} 1)")
        for y in range(-84, 96, 28)
        for x, size in (
            (200 + math.sin(k * 0.4) * math.sqrt(118**2 - y * y), math.cos(k * 0.4))
            for k in range(-3, 4)
        )
    )
    rays = around(16, path("M200 70L224 -60H176Z", GLOW, opacity=0.1), u + "r", 200, 214)
    return (
        rect(0, 0, 400, 400, mixed(c.ground, "#14181c", 45))
        + rays
        + circle(200, 214, 170, GLOW, opacity=0.16)
        + path("M200 0V82", stroke=c.second, stroke_width=5)
        + rect(176, 78, 48, 20, c.light(10), rx=6)
        + circle(200, 214, 124, c.first)
        + clipped(
            u + "c",
            circle(200, 214, 124, "#000"),
            circle(252, 250, 124, "#000", opacity=0.18) + rows,
        )
        + path("M112 168A100 100 0 0 1 168 112", stroke="#fff", stroke_width=9, opacity=0.4)
    )


def grille(c: Canvas) -> str:
    scroll = path(
        "M200 200C200 130 270 130 262 176C256 206 222 196 234 176", stroke=c.first, stroke_width=8
    )
    mirrored = scroll + tag("g", scroll, transform="translate(400 0) scale(-1 1)")
    panel = mirrored + tag("g", mirrored, transform="translate(0 400) scale(1 -1)")
    bars = path("M70 70H330V330H70ZM200 70V330M70 200H330", stroke=c.first, stroke_width=10)
    quarter = tag("g", panel, transform="translate(30 30) scale(.52)")
    return (
        rect(0, 0, 400, 400, mixed(c.ground, "#c98b5a", 20))
        + tag("g", bars, transform="translate(8 10)", opacity=0.15)
        + bars
        + "".join(
            tag("g", quarter, transform=f"translate({x} {y})")
            for x, y in ((1, 1), (131, 1), (1, 131), (131, 131))
        )
        + "".join(circle(x, y, 10, c.second) for x in (70, 200, 330) for y in (70, 200, 330))
    )


def fibula(c: Canvas) -> str:
    u = c.uid
    gems = "".join(
        circle(x, y, r + 3, c.second) + circle(x, y, r, stone)
        for x, y, r, stone in (
            (200, 176, 17, mixed(c.second, "#c8402f", 60)),
            (158, 158, 8, mixed(c.second, "#e0a63b", 55)),
            (242, 158, 8, mixed(c.second, "#3a9a63", 55)),
            (200, 226, 9, mixed(c.second, "#3a9a63", 55)),
        )
    )
    triangle = "M116 126H284L214 278H186Z"
    wires = tag(
        "defs", tiling(u, 16, 16, path("M0 8Q4 0 8 8T16 8", stroke=c.shade(35), stroke_width=2))
    )
    drops = many(
        5,
        lambda k: (
            path(f"M{132 + k * 34} 126v-22", stroke=c.first, stroke_width=3)
            + lozenge(132 + k * 34, 94, 8, 13, c.first)
        ),
    )
    return (
        rect(0, 0, 400, 400, c.ground)
        + tag("g", path(triangle, "#000"), opacity=0.3, transform="translate(8 10)")
        + drops
        + circle(200, 318, 38, "none", stroke=c.first, stroke_width=11)
        + path("M200 276V366", stroke=c.light(30), stroke_width=7, stroke_linecap="round")
        + path(triangle, c.first, stroke=c.light(40), stroke_width=4)
        + wires
        + path(triangle, f"url(#{u})")
        + polygon(star(200, 176, 40, 24, 8), c.first, stroke=c.shade(35), stroke_width=2)
        + gems
        + circle(200, 280, 9, c.light(40))
        + many(9, lambda k: circle(124 + k * 19, 134, 3.5, c.light(55)))
    )


def bracelet(c: Canvas) -> str:
    stud = circle(200, 92, 9, c.light(35)) + circle(200, 92, 4, mixed(c.second, "#c8402f", 50))
    wire = path("M182 78Q200 112 218 78", stroke=c.shade(35), stroke_width=2.5)
    inner = circle(200, 206, 132, "none", stroke=c.shade(22), stroke_width=20)
    return (
        rect(0, 0, 400, 400, c.ground)
        + ellipse(206, 222, 146, 144, "#000", opacity=0.22)
        + inner
        + circle(200, 206, 114, "none", stroke=c.first, stroke_width=42)
        + around(24, wire, c.uid + "w", 200, 206)
        + around(12 + 4 * c.pick(0, 2), stud, c.uid + "s", 200, 206)
        + circle(200, 206, 93, "none", stroke=c.light(50), stroke_width=4)
        + circle(200, 206, 135, "none", stroke=c.light(50), stroke_width=4)
        + rect(184, 316, 32, 20, c.light(30), rx=5)
        + circle(200, 326, 6, c.second)
    )


def earrings(c: Canvas) -> str:
    u = c.uid
    gem = mixed(c.second, "#c8402f", 45)
    petal = path(
        "M0 12C12 26 12 42 0 52C-12 42 -12 26 0 12Z", "none", stroke=c.light(20), stroke_width=3
    )
    ring = "".join(tag("g", petal, transform=f"rotate({k * 45})") for k in range(8))
    drops = "".join(
        path(f"M{x} {52 - abs(x) // 3}v34", stroke=c.first, stroke_width=3)
        + lozenge(x, 100 - abs(x) // 3, 7, 14, c.first)
        for x in (-36, -12, 12, 36)
    )
    hook = path("M0 -58C0 -96 34 -92 26 -64", stroke=c.light(20), stroke_width=5)
    piece = tag(
        "g",
        hook
        + drops
        + circle(0, 0, 58, mixed(c.ground, c.first, 22), stroke=c.first, stroke_width=7)
        + ring
        + circle(0, 0, 15, c.first)
        + circle(0, 0, 10, gem),
        id=u,
    )
    return (
        rect(0, 0, 400, 400, c.ground)
        + rect(50, 40, 300, 320, mixed(c.ground, "#ffffff", 8), rx=14)
        + tag("g", piece, transform="translate(126 178) rotate(-4)")
        + tag("use", href=f"#{u}", transform="translate(274 178) rotate(4)")
    )


def necklace(c: Canvas) -> str:
    inks = (c.first, c.second, c.light(30), mixed(c.first, c.second, 50))

    def bead(k: int) -> str:
        t = math.pi * (0.06 + 0.88 * k / 24)
        x, y = 200 - 128 * math.cos(t), 90 + 190 * math.sin(t)
        r = 8 + 8 * math.sin(t)
        return circle(x, y, r, inks[c.pick(k % 5, 4) if k % 2 else 0]) + circle(
            x - r / 3, y - r / 3, r / 4, "#fff", opacity=0.6
        )

    pendant = polygon(
        ((200, 268), (232, 318), (200, 362), (168, 318)),
        "#d7d8da",
        stroke="#8b9096",
        stroke_width=4,
    )
    return (
        rect(0, 0, 400, 400, c.ground)
        + ellipse(200, 120, 120, 84, mixed(c.ground, "#ffffff", 8))
        + path("M74 104C80 20 320 20 326 104", stroke=c.deep, stroke_width=4)
        + many(25, bead)
        + pendant
        + lozenge(200, 316, 14, 20, c.second)
        + circle(200, 316, 5, "#fff", opacity=0.7)
    )
