"""Instruments and candles: wood and skin, wax and clay."""

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
)


def oud(c: Canvas) -> str:
    body = "M200 128C286 150 306 240 288 290C270 344 130 344 112 290C94 240 114 150 200 128Z"
    rose = around(8, lozenge(200, 206, 6, 14, c.shade(30)), c.uid + "r", 200, 226)
    return (
        niche(c)
        + shadow(96, 344)
        + path("M186 44H214L210 150H190Z", c.shade(40))
        + path("M186 46L150 16L164 6L214 44Z", c.shade(30))
        + many(
            5,
            lambda k: path(
                f"M{160 + k * 8} {20 + k * 5}l-12 10M{166 + k * 8} {12 + k * 6}l14 -8",
                stroke=c.deep,
                stroke_width=4,
            ),
        )
        + path(body, mixed("#d9a866", c.first, 14), stroke=c.first, stroke_width=9)
        + circle(200, 226, 36, c.deep)
        + circle(200, 226, 31, mixed("#d9a866", c.first, 30))
        + rose
        + circle(150, 276, 12, c.deep)
        + circle(250, 276, 12, c.deep)
        + rect(158, 302, 84, 11, c.deep, rx=4)
        + path(
            "M" + "M".join(f"{190 + k * 4} 46L{170 + k * 12} 306" for k in range(6)),
            stroke="#f7f0dd",
            stroke_width=1.3,
        )
    )


def guembri(c: Canvas) -> str:
    body = "M136 160H264Q276 250 258 318Q200 340 142 318Q124 250 136 160Z"
    marks = many(5, lambda k: lozenge(152 + k * 24, 304, 9, 12, (c.second, c.deep)[k % 2]))
    return (
        niche(c)
        + shadow(84, 344)
        + path("M200 24V300", stroke=c.shade(28), stroke_width=15, stroke_linecap="round")
        + path(body, c.first)
        + path("M144 168H256Q264 230 250 282H150Q136 230 144 168Z", "#ead9b8")
        + marks
        + path("M196 40L186 270M200 30V270M204 60L214 270", stroke="#6f4e2c", stroke_width=2)
        + rect(176, 258, 48, 10, c.deep, rx=3)
        + path(
            "M190 44q-26 8 -34 0M210 64q26 8 34 0M190 84q-26 8 -34 0",
            stroke=c.second,
            stroke_width=7,
        )
        + circle(200, 24, 12, c.second)
        + path("M200 12l34 -6l-6 16Z", "#b9bcc0")
    )


def drum(c: Canvas) -> str:
    dots = around(16, lozenge(200, 76, 9, 14, c.second), c.uid + "d", 200, 206)
    star_ = polygon(star(200, 206, 52, 30, 8), "none", stroke=c.first, stroke_width=5)
    return (
        rect(0, 0, 400, 400, mixed(c.ground, c.second, 16))
        + circle(210, 222, 160, "#000", opacity=0.16)
        + circle(200, 206, 160, c.first)
        + circle(200, 206, 150, c.shade(24))
        + circle(200, 206, 143, "#ecdcbc")
        + circle(200, 206, 96, "#e3cfa8")
        + dots
        + star_
        + polygon(star(200, 206, 26, 13, 8), c.second)
        + many(12, lambda k: circle(200, 51, 4, "#d2a03c", transform=f"rotate({k * 30} 200 206)"))
        + path("M84 150A132 132 0 0 1 170 82", stroke="#fff", stroke_width=9, opacity=0.45)
    )


def candle(c: Canvas) -> str:
    pot = "M120 206H280C288 270 268 330 246 342H154C132 330 112 270 120 206Z"
    flame = path("M200 92C228 132 222 166 200 170C178 166 172 132 200 92Z", "#ffb93b") + path(
        "M200 124C212 144 210 162 200 166C190 162 188 144 200 124Z", "#fff3c4"
    )
    band = many(6, lambda k: lozenge(134 + k * 27, 268, 12, 18, (c.second, c.pale)[k % 2]))
    return (
        niche(c)
        + circle(200, 150, 110, "#ffd778", opacity=0.28)
        + shadow(86)
        + path(pot, c.first)
        + clipped(
            c.uid + "p",
            path(pot, "#000"),
            rect(0, 244, 400, 48, c.deep)
            + band
            + path(
                "M150 200C134 260 140 320 162 342H178C156 310 152 250 170 200Z", "#fff", opacity=0.3
            ),
        )
        + ellipse(200, 206, 80, 15, c.shade(20))
        + ellipse(200, 206, 72, 11, "#f6ead0")
        + path("M200 206V170", stroke="#3b2a1c", stroke_width=4)
        + flame
    )
