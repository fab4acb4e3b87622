"""Tiles, vessels, plates and stone."""

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
    number,
    path,
    polygon,
    rect,
    shadow,
    star,
    tag,
    tiling,
)

Profile = tuple[tuple[float, float], ...]


def khatem(c: Canvas, side: float) -> str:
    """One repeat of the eight-point star and cross."""
    h = side / 2
    outer, inner = h, h * 0.765
    corners = "".join(
        polygon(star(x, y, h * 0.36, h * 0.2, 4), c.second) for x in (0, side) for y in (0, side)
    )
    return (
        rect(0, 0, side, side, c.deep)
        + corners
        + polygon(star(h, h, outer * 0.95, inner * 0.95, 8, 22.5), c.pale)
        + polygon(star(h, h, outer * 0.78, inner * 0.78, 8, 22.5), c.first)
        + polygon(star(h, h, h * 0.42, h * 0.2, 8), c.second)
        + circle(h, h, h * 0.12, c.pale)
    )


def tiles(c: Canvas) -> str:
    side = 56 + 8 * c.pick(1, 3)
    shades = [c.first, c.light(14), c.shade(12), c.light(6), c.shade(6)]

    def tile(k: int) -> str:
        row, column = divmod(k, 6)
        x, y = 24 + column * 59, 24 + row * 59
        fill = shades[c.pick(k, 5)]
        return rect(x, y, 56, 56, fill) + path(
            f"M{x + 4} {y + 50}L{x + 4 + side // 3} {y + 5}",
            stroke="#ffffff",
            stroke_width=3,
            opacity=f"0.{1 + c.pick(k + 7, 3)}",
        )

    return rect(0, 0, 400, 400, mixed(c.ground, "#8a7f70", 40)) + many(36, tile)


def star_panel(c: Canvas) -> str:
    u, n = c.uid, 16 if c.pick(0, 2) else 12
    ring = polygon(
        ((200, 62), (214, 100), (200, 138), (186, 100)), c.first, stroke=c.pale, stroke_width=2
    )
    small = polygon(star(200, 44, 15, 8, 8), c.second, stroke=c.pale, stroke_width=1.5)
    petal = polygon(((200, 120), (208, 146), (200, 168), (192, 146)), c.second)
    return (
        tag("defs", tiling(u + "p", 50, 50, khatem(c, 50)))
        + rect(0, 0, 400, 400, f"url(#{u}p)")
        + circle(200, 200, 182, c.pale)
        + circle(200, 200, 177, mixed(c.deep, c.first, 30))
        + around(n, small, u + "a")
        + around(n, ring, u + "b", turn=180 / n)
        + circle(200, 200, 84, c.pale)
        + around(n, petal, u + "c")
        + polygon(star(200, 200, 58, 44, n), c.deep)
        + polygon(star(200, 200, 40, 24, 8), c.second)
        + polygon(star(200, 200, 22, 12, 8), c.pale)
    )


def round_table(c: Canvas) -> str:
    u = c.uid
    top = tag("defs", tiling(u + "p", 44, 44, khatem(c, 44), "translate(178 128)"))
    legs = "M150 200C170 262 130 300 118 340M250 200C230 262 270 300 282 340M200 205V338"
    return (
        niche(c)
        + shadow(110)
        + path(legs, stroke="#2c2b2d", stroke_width=7, stroke_linecap="round")
        + top
        + ellipse(200, 168, 150, 58, "#2c2b2d")
        + ellipse(200, 160, 150, 58, "#454142")
        + ellipse(200, 159, 143, 53, f"url(#{u}p)")
        + ellipse(200, 159, 60, 22, c.pale)
        + ellipse(200, 159, 55, 19, c.second)
        + tag("g", polygon(star(200, 159, 50, 30, 8), c.first), transform="matrix(1 0 0 .36 0 102)")
    )


def framed(c: Canvas) -> str:
    u = c.uid
    arch = "M140 318V180C130 120 168 92 200 84C232 92 270 120 260 180V318Z"
    return (
        rect(0, 0, 400, 400, mixed(c.ground, c.second, 12))
        + tag("defs", tiling(u + "p", 34, 34, khatem(c, 34), "translate(13 7)"))
        + rect(93, 39, 222, 330, "#000000", opacity=0.15)
        + rect(87, 32, 226, 332, c.deep)
        + rect(92, 37, 216, 322, f"url(#{u}p)")
        + path(arch, "#d8e2e2", stroke=c.second, stroke_width=8)
        + path("M165 300L235 130M185 305L245 165", stroke="#ffffff", stroke_width=7, opacity=0.55)
    )


def _outline(profile: Profile) -> str:
    """A closed, smoothed silhouette from (half width, y) pairs, top to bottom."""
    right = [(200 + w, y) for w, y in profile]
    left = [(200 - w, y) for w, y in reversed(profile)]
    return _run(right, "M") + _run(left, "L") + "Z"


def _run(points: list[tuple[float, float]], start: str) -> str:
    text = start + f"{number(points[0][0])} {number(points[0][1])}"
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        middle = number((y0 + y1) / 2)
        text += f"C{number(x0)} {middle} {number(x1)} {middle} {number(x1)} {number(y1)}"
    return text


def _frieze(c: Canvas, y: float, height: float, kind: int) -> str:
    """A painted band: triangles, lozenges, dots or waves."""
    h = height / 2
    marks = (
        polygon(((0, height), (12, 2), (24, height)), c.second),
        lozenge(12, h, 11, h - 2, c.second) + lozenge(12, h, 4, h / 3, c.pale),
        circle(12, h, h * 0.55, c.second) + circle(12, h, h * 0.22, c.deep),
        path(f"M0 {number(h)}Q6 0 12 {number(h)}T24 {number(h)}", stroke=c.second, stroke_width=4),
    )
    uid = f"{c.uid}f{int(y)}"
    pattern = tag("defs", tiling(uid, 24, height, marks[kind % 4], f"translate(8 {number(y)})"))
    return pattern + rect(0, y, 400, height, c.deep) + rect(0, y, 400, height, f"url(#{uid})")


def vessel(c: Canvas, profile: Profile, bands: tuple[tuple[int, int], ...], extra: str = "") -> str:
    """A thrown form in the round, with painted bands, light on its left."""
    outline = _outline(profile)
    painted = "".join(
        _frieze(c, y, height, c.pick(place, 4)) for place, (y, height) in enumerate(bands)
    )
    light = path(
        "M150 0C128 160 128 260 150 400H170C150 260 150 160 178 0Z", "#ffffff", opacity=0.28
    )
    dark = path("M262 0C300 160 296 260 250 400H400V0Z", "#000000", opacity=0.14)
    inside = rect(0, 0, 400, 400, c.first) + painted + light + dark
    return (
        niche(c)
        + shadow(profile[-1][0] + 26)
        + clipped(c.uid + "v", path(outline, "#000"), inside)
        + extra
    )


def tagine(c: Canvas) -> str:
    cone = ((12, 78), (20, 96), (9, 112), (34, 160), (80, 218), (118, 258))
    dish = ((132, 262), (134, 276), (112, 318), (66, 340))
    base = vessel(c, dish, ((266, 16),))
    lid = clipped(
        c.uid + "t",
        path(_outline(cone), "#000"),
        rect(0, 0, 400, 400, c.light(8))
        + _frieze(c, 228, 20, c.pick(4, 4))
        + _frieze(c, 168, 14, c.pick(5, 4))
        + path("M200 70L120 260H150L196 100Z", "#ffffff", opacity=0.3)
        + path("M205 70L290 260H400V70Z", "#000000", opacity=0.13),
    )
    return base + ellipse(200, 262, 132, 9, c.deep) + lid


def platter(c: Canvas) -> str:
    u, n = c.uid, (8, 10, 12)[c.pick(0, 3)]
    petal = path("M200 108C214 128 214 152 200 172C186 152 186 128 200 108Z", c.first)
    leaf = path("M200 48C212 60 210 78 200 90C190 78 188 60 200 48Z", c.second)
    dot = circle(200, 102, 4, c.deep)
    scallop = path("M184 32Q200 52 216 32", stroke=c.first, stroke_width=4)
    return (
        rect(0, 0, 400, 400, mixed(c.ground, c.second, 22))
        + ellipse(206, 214, 176, 174, "#000000", opacity=0.16)
        + circle(200, 200, 176, c.deep)
        + circle(200, 200, 172, c.pale)
        + around(n * 2, scallop, u + "d")
        + circle(200, 200, 154, "none", stroke=c.first, stroke_width=3)
        + around(n, leaf, u + "a", turn=180 / n)
        + around(n, dot, u + "e")
        + circle(200, 200, 106, "none", stroke=c.deep, stroke_width=3)
        + around(n, petal, u + "b")
        + circle(200, 200, 34, c.first)
        + polygon(star(200, 200, 30, 17, 8), c.pale)
        + polygon(star(200, 200, 15, 8, 8), c.second)
        + path("M66 128A152 152 0 0 1 150 56", stroke="#fff", stroke_width=8, opacity=0.5)
    )


def bowl(c: Canvas) -> str:
    profile = ((128, 206), (120, 244), (84, 304), (46, 322), (54, 340))
    rim = ellipse(200, 206, 128, 24, c.deep) + ellipse(200, 208, 120, 18, c.shade(28))
    return vessel(c, profile, ((224, 22), (258, 12)), rim)


def jar(c: Canvas) -> str:
    profile = ((46, 124), (40, 146), (96, 200), (100, 262), (64, 322), (70, 340))
    knob = circle(200, 78, 11, c.second) + path(
        "M146 124C150 96 180 88 200 88S250 96 254 124Z", c.shade(12)
    )
    return vessel(c, profile, ((152, 14), (198, 34), (244, 16)), knob)


def vase(c: Canvas) -> str:
    profile = ((34, 74), (20, 96), (22, 140), (86, 206), (88, 258), (48, 320), (58, 340))
    mouth = ellipse(200, 74, 34, 7, c.shade(40))
    return vessel(c, profile, ((136, 12), (196, 30), (238, 14), (284, 10)), mouth)


def lamp(c: Canvas) -> str:
    """A pierced form with a flame behind the holes."""
    profile = ((34, 116), (48, 132), (84, 190), (84, 270), (56, 326), (66, 340))
    glow = mixed("#ffd36b", c.second, 15)

    def hole(k: int) -> str:
        row, column = divmod(k, 7)
        x, y = 131 + column * 23 + (row % 2) * 11, 168 + row * 27
        return tag("use", href=f"#{c.uid}o", x=x, y=y)

    shape = polygon(star(0, 0, 9, 4, 4 + 2 * c.pick(0, 3)), glow, id=c.uid + "o")
    halo = circle(200, 230, 132, "#ffd36b", opacity=0.22)
    mouth = ellipse(200, 116, 34, 8, glow)
    holes = clipped(c.uid + "h", path(_outline(profile), "#000"), many(35, hole))
    holes = tag("defs", shape) + holes
    body = vessel(c, profile, ((144, 10), (304, 10)), holes + mouth)
    return body + halo


def mortar(c: Canvas) -> str:
    profile = ((104, 180), (98, 214), (74, 286), (52, 306), (82, 322), (84, 340))
    veins = path(
        "M120 200C160 230 150 270 190 300M230 190C220 230 260 250 240 300",
        stroke=c.second,
        stroke_width=2,
        opacity=0.6,
    )
    pestle = path("M236 186L292 84", stroke=c.shade(10), stroke_width=20, stroke_linecap="round")
    rim = ellipse(200, 180, 104, 22, c.light(20)) + ellipse(200, 182, 88, 16, c.shade(35))
    return vessel(
        c,
        profile,
        (),
        veins
        + rim
        + pestle
        + path("M112 184A104 22 0 0 0 288 184", stroke=c.light(25), stroke_width=8),
    )


def basin(c: Canvas) -> str:
    profile = ((142, 226), (136, 258), (96, 318), (70, 340))
    whorl = "M0 0C8 -14 26 -6 22 10C18 26 -8 26 -16 10C-24 -12 -4 -32 18 -28"
    fossils = "".join(
        path(
            whorl,
            stroke=c.pale,
            stroke_width=3,
            opacity=0.75,
            transform=f"translate({x} {y}) rotate({c.pick(x, 180)}) scale(.8)",
        )
        for x, y in ((130, 274), (196, 296), (252, 276))
    )
    rim = ellipse(200, 226, 142, 34, c.light(14)) + ellipse(200, 230, 124, 25, c.shade(30))
    return vessel(c, profile, (), rim + fossils + circle(200, 240, 7, "#c9a552"))
