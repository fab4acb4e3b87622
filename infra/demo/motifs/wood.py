"""Thuya and cedar."""

from functools import partial

from infra.demo.motifs.canvas import (
    Canvas,
    around,
    circle,
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


def _burl(c: Canvas, name: str) -> str:
    """The dappled grain of thuya root, as a pattern."""
    eyes = "".join(
        ellipse(
            10 + (k * 29 + c.pick(k, 9)) % 76,
            8 + (k * 19) % 66,
            3 + c.pick(k, 4),
            2 + c.pick(k, 3),
            c.shade(34),
        )
        + ellipse(
            10 + (k * 29 + c.pick(k, 9)) % 76,
            8 + (k * 19) % 66,
            8 + c.pick(k, 4),
            5 + c.pick(k, 3),
            "none",
            stroke=c.shade(20),
            stroke_width=1,
        )
        for k in range(9)
    )
    wave = path("M0 22Q24 8 45 24T90 22M0 58Q24 44 45 62T90 58", stroke=c.light(16), stroke_width=2)
    return tag("defs", tiling(c.uid + name, 90, 80, rect(0, 0, 90, 80, c.first) + wave + eyes))


def box(c: Canvas) -> str:
    grain = f"url(#{c.uid}g)"
    lid = "M70 196L116 140H284L330 196Z"
    inlay = path("M98 188L128 150H272L302 188Z", stroke=c.second, stroke_width=4)
    return (
        niche(c)
        + shadow(146)
        + _burl(c, "g")
        + rect(70, 196, 260, 142, grain)
        + path(lid, grain)
        + path(lid, "#fff", opacity=0.16)
        + inlay
        + lozenge(200, 168, 30, 12, c.second)
        + lozenge(200, 168, 16, 6, c.deep)
        + rect(70, 196, 260, 9, c.shade(40))
        + rect(70, 232, 260, 5, c.second)
        + rect(86, 250, 228, 72, "none", stroke=c.second, stroke_width=3)
        + many(7, lambda k: lozenge(110 + k * 30, 286, 12, 20, (c.second, c.deep)[k % 2]))
        + rect(188, 194, 24, 24, "#d2a03c", rx=4)
        + circle(200, 207, 4, c.deep)
    )


def board(c: Canvas) -> str:
    grain = f"url(#{c.uid}g)"
    squares = many(
        64,
        lambda k: (
            rect(80 + k % 8 * 30, 80 + k // 8 * 30, 30, 30, c.second)
            if (k % 8 + k // 8) % 2
            else ""
        ),
    )
    rosette = (
        around(16, lozenge(200, 122, 12, 26, c.second), c.uid + "a")
        + around(16, lozenge(200, 160, 6, 14, "#eef0ea"), c.uid + "b", turn=11)
        + polygon(star(200, 200, 34, 18, 8), "#eef0ea")
        + polygon(star(200, 200, 18, 9, 8), c.deep)
    )
    is_chess = "chess" in c.seed_text
    edge = tag(
        "defs",
        tiling(
            c.uid + "e", 20, 20, lozenge(10, 10, 8, 8, c.second) + lozenge(10, 10, 3, 3, c.deep)
        ),
    )
    return (
        rect(0, 0, 400, 400, c.ground)
        + rect(52, 56, 312, 312, "#000", opacity=0.2, rx=8)
        + _burl(c, "g")
        + edge
        + rect(42, 42, 316, 316, c.deep, rx=8)
        + rect(50, 50, 300, 300, f"url(#{c.uid}e)")
        + rect(74, 74, 252, 252, c.deep)
        + rect(80, 80, 240, 240, grain)
        + (squares if is_chess else rosette)
    )


def table(c: Canvas) -> str:
    def panel(x: int, w: int, fill: str) -> str:
        arch = (
            f"M{x + 10} 340V262C{x + 4} 232 {x + w // 2} 218 {x + w // 2}"
            f" 210C{x + w // 2} 218 {x + w - 4} 232 {x + w - 10} 262V340Z"
        )
        return (
            rect(x, 176, w, 164, fill)
            + rect(x + 8, 184, w - 16, 18, f"url(#{c.uid}m)")
            + path(arch, mixed(c.deep, "#000000", 20))
        )

    lattice = tiling(
        c.uid + "m", 12, 12, rect(0, 0, 12, 12, c.deep) + lozenge(6, 6, 5, 5, c.second)
    )
    return (
        niche(c)
        + shadow(126)
        + tag("defs", lattice)
        + panel(84, 66, c.shade(22))
        + panel(150, 100, c.first)
        + panel(250, 66, c.shade(14))
        + polygon(
            ((60, 158), (110, 136), (290, 136), (340, 158), (320, 180), (80, 180)), c.light(12)
        )
        + polygon(((84, 158), (122, 142), (278, 142), (316, 158), (300, 174), (100, 174)), c.second)
        + tag(
            "g",
            polygon(star(200, 158, 52, 32, 12), c.first)
            + polygon(star(200, 158, 28, 15, 8), c.pale),
            transform="matrix(1 0 0 .28 0 114)",
        )
    )


def _berry(c: Canvas, x: int, k: int) -> str:
    return circle(x, 152 + k * 46, 6, c.pale)


def door(c: Canvas) -> str:
    arch = "M132 330V190C122 146 160 108 200 92C240 108 278 146 268 190V330Z"
    flower = around(
        8, path("M200 40c10 8 10 18 0 26c-10 -8 -10 -18 0 -26Z", c.second), c.uid + "f", 200, 72
    )
    vines = "".join(
        path(f"M{x} 130q14 24 0 48t0 48t0 48t0 44", stroke=c.second, stroke_width=5)
        + many(4, partial(_berry, c, x))
        for x in (106, 288)
    )
    return (
        rect(0, 0, 400, 400, mixed(c.ground, "#a58a6a", 18))
        + rect(84, 36, 240, 340, "#000", opacity=0.16)
        + rect(76, 26, 248, 344, c.shade(30))
        + rect(84, 34, 232, 328, c.first)
        + vines
        + flower
        + circle(200, 72, 8, c.pale)
        + path(arch, mixed(c.deep, "#1a1210", 30), stroke=c.second, stroke_width=8)
        + rect(132, 246, 136, 8, c.light(12))
        + rect(132, 326, 136, 8, c.light(12))
        + ellipse(170, 232, 16, 14, "#1f4e9c")
        + ellipse(226, 226, 12, 20, "#d9962a")
        + rect(160, 286, 18, 40, "#3a9a63")
        + rect(182, 280, 14, 46, "#c8402f")
        + rect(200, 290, 20, 36, "#e9e2c8")
    )
