"""Garments, braid, slippers, bags and other leather."""

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

ROBE = (
    "M178 76Q200 92 222 76L262 92L352 196L316 236L264 180L292 346H108L136 180L84 236L48 196L138 92Z"
)
WIDE_ROBE = (
    "M178 76Q200 92 222 76L268 92L340 168L304 222L262 184L284 346H116L138 184L96 222L60 168L132 92Z"
)

# A robe is drawn wide, then made slender.
LONGER = '<g transform="matrix(.82 0 0 1.08 36 -34)">{}</g>'


def _flowers(c: Canvas, ink: str) -> str:
    petal = path("M14 14c7 -6 7 -12 0 -14c-7 2 -7 8 0 14Z", ink)
    five = "".join(tag("g", petal, transform=f"rotate({k * 72} 14 14)") for k in range(5)) + circle(
        14, 14, 3, c.pale
    )
    shapes = (five, lozenge(14, 14, 7, 9, ink), polygon(star(14, 14, 9, 4, 8), ink))
    return tag("defs", tiling(c.uid + "d", 36, 36, shapes[c.pick(0, 3)], "rotate(45)"))


def _braid(c: Canvas, top: int, bottom: int) -> str:
    """Sfifa down the front with its line of knotted buttons."""
    return (
        rect(187, top, 26, bottom - top, c.second)
        + path(f"M191 {top}V{bottom}M209 {top}V{bottom}", stroke=c.deep, stroke_width=1.5)
        + many((bottom - top) // 13, lambda k: circle(200, top + 8 + k * 13, 4, c.pale))
    )


def _robe(c: Canvas, outline: str, inner: str, patterned: bool) -> str:
    cloth = rect(0, 0, 400, 400, c.first)
    flowers = (
        _flowers(c, c.light(28)) + rect(0, 0, 400, 400, f"url(#{c.uid}d)") if patterned else ""
    )
    folds = path(
        "M160 200L140 346M182 210L176 346M240 200L260 346M222 210L226 346",
        stroke="#000000",
        stroke_width=4,
        opacity=0.13,
    )
    hanger = path("M200 74V56q0 -12 12 -12", stroke="#6f4e2c", stroke_width=5)
    body = clipped(c.uid + "k", path(outline, "#000"), cloth + flowers + folds + inner)
    return (
        niche(c)
        + shadow(96)
        + LONGER.format(hanger + body + path(outline, stroke=c.deep, stroke_width=2))
    )


def caftan(c: Canvas) -> str:
    cuffs = "".join(
        path(d, stroke=c.second, stroke_width=15) for d in ("M50 192L90 236", "M350 192L310 236")
    )
    hem = path("M100 338H300", stroke=c.second, stroke_width=14)
    collar = path("M172 76Q200 112 228 76", stroke=c.second, stroke_width=14)
    yoke = (
        around(
            10, path("M200 118c8 10 8 18 0 24c-8 -6 -8 -14 0 -24Z", c.second), c.uid + "y", 200, 164
        )
        if c.pick(1, 2)
        else ""
    )
    return _robe(c, ROBE, cuffs + hem + yoke + collar + _braid(c, 92, 346), True)


def takchita(c: Canvas) -> str:
    belt = rect(100, 188, 200, 30, c.second) + many(
        9, lambda k: lozenge(132 + k * 17, 203, 6, 10, c.pale if k % 2 else c.deep)
    )
    veil = path(
        "M136 180L108 346H186V92L178 76L138 92ZM264 180L292 346H214V92L222 76L262 92Z",
        "#ffffff",
        opacity=0.2,
    )
    pearls = many(24, lambda k: circle(114 + (k * 37) % 176, 236 + (k * 23) % 104, 2.5, c.pale))
    return _robe(
        c,
        ROBE,
        veil
        + pearls
        + _braid(c, 84, 346)
        + belt
        + path("M106 340H294", stroke=c.second, stroke_width=10),
        True,
    )


def djellaba(c: Canvas) -> str:
    hood = path("M166 84Q200 22 234 84Q200 108 166 84Z", c.shade(20), stroke=c.deep, stroke_width=2)
    tip = path("M170 84Q200 120 230 84", stroke=c.second, stroke_width=6)
    stripes = (
        path(
            "M" + "M".join(f"{x} 60V350" for x in range(60, 350, 14)),
            stroke=c.shade(18),
            stroke_width=2,
            opacity=0.7,
        )
        if c.pick(1, 2)
        else ""
    )
    pockets = path("M138 250l26 -4M262 250l-26 -4", stroke=c.second, stroke_width=5)
    hem = path("M100 341H300", stroke=c.second, stroke_width=6)
    return _robe(c, ROBE, stripes + _braid(c, 88, 346) + pockets + hem, False) + LONGER.format(
        hood + tip
    )


def gandoura(c: Canvas) -> str:
    breast = path("M168 80L184 186H216L232 80Q200 112 168 80Z", c.second, opacity=0.9)
    work = many(6, lambda k: lozenge(200, 108 + k * 14, 9, 6, c.pale)) + path(
        "M200 100V196", stroke=c.deep, stroke_width=2
    )
    tassel = path("M200 190v26", stroke=c.second, stroke_width=7, stroke_linecap="round")
    sides = path("M118 338H282M98 220L62 170M302 220L338 170", stroke=c.second, stroke_width=7)
    return _robe(c, WIDE_ROBE, breast + work + tassel + sides, False)


def braid(c: Canvas) -> str:
    u = c.uid + "b"
    plait = path("M0 0L13 13L0 26M26 0L13 13L26 26", stroke=c.second, stroke_width=5) + path(
        "M13 0L26 13L13 26L0 13Z", stroke=c.light(35), stroke_width=2
    )
    reel = "".join(
        circle(200, 176, r, "none", stroke=(c.first, c.shade(16))[k % 2], stroke_width=12)
        for k, r in enumerate(range(30, 132, 12))
    )
    tail = path("M326 176V330Q326 372 280 372H60", stroke=c.first, stroke_width=26)
    return (
        rect(0, 0, 400, 400, c.ground)
        + circle(206, 184, 134, "#000000", opacity=0.12)
        + tag("defs", tiling(u, 26, 26, rect(0, 0, 26, 26, c.first) + plait))
        + reel
        + tail
        + path("M326 176V330Q326 372 280 372H60", stroke=f"url(#{u})", stroke_width=24)
        + circle(200, 176, 24, c.second)
        + polygon(star(200, 176, 18, 9, 8), c.pale)
    )


def buttons(c: Canvas) -> str:
    knot = path(
        "M-15 -6Q0 -20 15 -6M-17 3Q0 -8 17 3M-13 12Q0 4 13 12", stroke=c.second, stroke_width=3
    )
    inks = (c.first, c.light(14), c.shade(14))
    drop = circle(3, 4, 20, "#000", opacity=0.15)
    kinds = "".join(
        tag("g", drop + circle(0, 0, 20, ink) + knot, id=f"{c.uid}k{k}")
        for k, ink in enumerate(inks)
    )

    def button(k: int) -> str:
        row, column = divmod(k, 5)
        place = f"translate({80 + column * 60} {80 + row * 60}) rotate({c.pick(k + 3, 60) - 30})"
        return tag("use", href=f"#{c.uid}k{c.pick(k, 3)}", transform=place)

    field = rect(0, 0, 400, 400, c.ground) + rect(40, 40, 320, 320, c.pale)
    return field + tag("defs", kinds) + many(25, button)


def _slipper(c: Canvas, toe: str, tongue: str, turn: int, x: int) -> str:
    sole = path(toe, mixed("#7a5230", c.first, 25), transform="translate(4 5)")
    inside = ellipse(0, 66, 34, 62, mixed(c.first, "#f0dcc0", 60))
    upper = path(tongue, c.first, stroke=c.shade(30), stroke_width=2)
    work = (
        path("M-26 -22Q0 -44 26 -22", stroke=c.second, stroke_width=4)
        + lozenge(0, -62, 12, 16, c.second)
        + lozenge(0, -62, 5, 7, c.pale)
        + (circle(-20, -44, 5, c.second) + circle(20, -44, 5, c.second) if c.pick(3, 2) else "")
    )
    heel = path("M-34 96Q0 118 34 96L30 122Q0 146 -30 122Z", c.shade(10))
    place = f"translate({x} 206) rotate({turn})"
    return tag("g", sole + path(toe, c.light(10)) + inside + heel + upper + work, transform=place)


POINTED = (
    "M0 -150C26 -110 48 -70 46 -10C44 40 50 60 42 104C30 146 -30"
    " 146 -42 104C-50 60 -44 40 -46 -10C-48 -70 -26 -110 0 -150Z"
)
ROUND_TOE = (
    "M0 -128C40 -126 52 -70 48 -10C45 40 50 60 42 104C30 146 -30"
    " 146 -42 104C-50 60 -45 40 -48 -10C-52 -70 -40 -126 0 -128Z"
)
POINTED_TOP = "M0 -150C26 -110 48 -70 46 -6Q0 -34 -46 -6C-48 -70 -26 -110 0 -150Z"
ROUND_TOP = "M0 -128C40 -126 52 -70 48 -4Q20 -30 0 30Q-20 -30 -48 -4C-52 -70 -40 -126 0 -128Z"


def _pair(c: Canvas, toe: str, top: str) -> str:
    rug = lozenge(200, 206, 190, 190, mixed(c.ground, c.second, 22)) + lozenge(
        200, 206, 170, 170, "none", stroke=mixed(c.ground, c.first, 35), stroke_width=4
    )
    shade = ellipse(146, 350, 62, 10, "#000", opacity=0.15) + ellipse(
        256, 350, 62, 10, "#000", opacity=0.15
    )
    return (
        rect(0, 0, 400, 400, c.ground)
        + rug
        + shade
        + _slipper(c, toe, top, -7, 142)
        + _slipper(c, toe, top, 7, 258)
    )


def babouche(c: Canvas) -> str:
    return _pair(c, POINTED, POINTED_TOP)


def idoukan(c: Canvas) -> str:
    return _pair(c, ROUND_TOE, ROUND_TOP)


def bag(c: Canvas) -> str:
    u = c.uid + "g"
    mark = (
        polygon(star(14, 14, 10, 5, 8), c.shade(22)),
        lozenge(14, 14, 9, 9, "none", stroke=c.shade(22), stroke_width=2),
        circle(14, 14, 7, "none", stroke=c.shade(22), stroke_width=2),
    )[c.pick(0, 3)]
    strap = path("M104 196C96 60 304 60 296 196", stroke=c.shade(25), stroke_width=13)
    body = "M84 176H316L330 322Q330 340 312 340H88Q70 340 70 322Z"
    flap = "M80 170H320L312 252Q200 296 88 252Z"
    stitch = path(
        flap,
        stroke=c.light(45),
        stroke_width=2,
        stroke_dasharray="7 5",
        transform="translate(10 8.5) scale(.95)",
    )
    buckle = rect(186, 258, 28, 40, "none", stroke="#d2a03c", stroke_width=6, rx=4) + path(
        "M200 250v54", stroke=c.shade(30), stroke_width=12
    )
    return (
        niche(c)
        + shadow(140)
        + strap
        + path(body, c.shade(12))
        + tag("defs", tiling(u, 28, 28, mark))
        + path(flap, c.first)
        + path(flap, f"url(#{u})")
        + stitch
        + buckle
        + path("M84 330H316", stroke=c.light(30), stroke_width=2, stroke_dasharray="7 5")
    )


def pouf(c: Canvas) -> str:
    seam = path("M200 96V216", stroke=c.light(45), stroke_width=2.5, stroke_dasharray="6 4")
    petal = path(
        "M200 118C222 140 220 166 200 186C180 166 178 140 200 118Z",
        "none",
        stroke=c.second,
        stroke_width=4,
    )
    top = tag(
        "g",
        circle(200, 216, 120, c.light(8))
        + around(8, seam, c.uid + "s", 200, 216)
        + around(8, petal, c.uid + "t", 200, 216, 22.5)
        + polygon(star(200, 216, 34, 18, 8), c.second)
        + circle(200, 216, 9, c.deep),
        transform="matrix(1.2 0 0 .5 -40 100)",
    )
    side = "M56 208C40 250 44 312 78 334C120 352 280 352 322 334C356 312 360 250 344 208Z"
    seams = path(
        "M110 246Q100 300 118 344M168 262V348M232 262V348M290 246Q300 300 282 344",
        stroke=c.light(40),
        stroke_width=3,
        stroke_dasharray="7 5",
    )
    return (
        niche(c)
        + shadow(150, 346)
        + path(side, c.first)
        + path(side, "#000", opacity=0.12)
        + seams
        + top
    )


def belt(c: Canvas) -> str:
    coil = "".join(
        circle(200, 206, r, "none", stroke=(c.first, c.shade(18))[k % 2], stroke_width=17)
        for k, r in enumerate((38, 58, 78, 98, 118))
    )
    rosette = polygon(star(200, 66, 11, 6, 8), c.second)
    return (
        rect(0, 0, 400, 400, c.ground)
        + circle(208, 216, 150, "#000", opacity=0.13)
        + coil
        + circle(200, 206, 140, "none", stroke=c.first, stroke_width=26)
        + around(26, rosette, c.uid + "a", 200, 206)
        + circle(
            200, 206, 151, "none", stroke=c.light(40), stroke_width=1.5, stroke_dasharray="5 4"
        )
        + rect(312, 168, 56, 76, "none", stroke="#d2a03c", stroke_width=9, rx=10)
        + path("M318 206h52", stroke="#d2a03c", stroke_width=6)
        + polygon(star(200, 206, 24, 12, 8), c.second)
    )


def pouch(c: Canvas) -> str:
    outline = "M100 96H300L316 250Q200 290 84 250Z"
    fringe = path(
        "".join(
            f"M{x} {256 + 14 * (1 - abs(x - 200) / 110):.0f}l{(x - 200) // 14} 86"
            for x in range(96, 312, 9)
        ),
        stroke=c.shade(15),
        stroke_width=5,
        stroke_linecap="round",
    )
    signs = (
        many(
            7,
            lambda k: polygon(
                ((108 + k * 27, 132), (121 + k * 27, 108), (134 + k * 27, 132)),
                (c.second, c.pale)[k % 2],
            ),
        )
        + many(
            4,
            lambda k: lozenge(
                200, 190, 84 - k * 21, 44 - k * 11, (c.second, c.first, c.pale, c.deep)[k]
            ),
        )
        + "".join(lozenge(x, 190, 9, 13, c.pale) for x in (108, 292))
    )
    cord = path("M104 100C60 20 340 20 296 100", stroke=c.deep, stroke_width=6)
    return (
        rect(0, 0, 400, 400, mixed(c.ground, c.second, 16))
        + ellipse(206, 356, 120, 12, "#000", opacity=0.14)
        + cord
        + fringe
        + path(outline, c.first, stroke=c.deep, stroke_width=4)
        + signs
        + path("M92 240Q200 276 308 240", stroke=c.second, stroke_width=5)
    )
