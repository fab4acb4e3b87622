"""What every motif draws with: colours, steady choices and a few SVG shapes."""

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

Point = tuple[float, float]


def mixed(colour: str, other: str, percent: int) -> str:
    """`colour` with `percent` of `other` in it."""
    pairs = ((int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{(a * (100 - percent) + b * percent) // 100:02x}" for a, b in pairs)


@dataclass(frozen=True)
class Canvas:
    """Ground, first and second colour; `pick` makes choices that depend on the seed text alone."""

    seed_text: str
    ground: str
    first: str
    second: str

    @cached_property
    def digest(self) -> bytes:
        return hashlib.sha256(self.seed_text.encode()).digest()

    @property
    def uid(self) -> str:
        return "s" + self.digest.hex()[:8]

    @property
    def deep(self) -> str:
        return mixed(self.first, "#1a1210", 45)

    @property
    def pale(self) -> str:
        return mixed(self.ground, "#ffffff", 45)

    def pick(self, place: int, below: int) -> int:
        return self.digest[place % 32] % below

    def shade(self, percent: int) -> str:
        """The first colour, darker."""
        return mixed(self.first, "#000000", percent)

    def light(self, percent: int) -> str:
        """The first colour, lighter."""
        return mixed(self.first, "#ffffff", percent)


def number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def tag(name: str, inner: str = "", **attributes: object) -> str:
    """An element; underscores in names become hyphens, numbers are shortened."""
    pairs = (
        (key.rstrip("_").replace("_", "-"), number(v) if isinstance(v, float) else v)
        for key, v in attributes.items()
    )
    text = "".join(f' {key}="{v}"' for key, v in pairs)
    return f"<{name}{text}>{inner}</{name}>" if inner else f"<{name}{text}/>"


def path(d: str, fill: str = "none", **attributes: object) -> str:
    return tag("path", d=d, fill=fill, **attributes)


def rect(x: float, y: float, w: float, h: float, fill: str, **attributes: object) -> str:
    return tag("rect", x=x, y=y, width=w, height=h, fill=fill, **attributes)


def circle(x: float, y: float, r: float, fill: str, **attributes: object) -> str:
    return tag("circle", cx=x, cy=y, r=r, fill=fill, **attributes)


def ellipse(x: float, y: float, rx: float, ry: float, fill: str, **attributes: object) -> str:
    return tag("ellipse", cx=x, cy=y, rx=rx, ry=ry, fill=fill, **attributes)


def polygon(points: Iterable[Point], fill: str, **attributes: object) -> str:
    d = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) + "Z"
    return path(d, fill, **attributes)


def lozenge(x: float, y: float, w: float, h: float, fill: str, **attributes: object) -> str:
    return polygon(((x, y - h), (x + w, y), (x, y + h), (x - w, y)), fill, **attributes)


def star(
    x: float, y: float, outer: float, inner: float, points: int, turn: float = 0
) -> list[Point]:
    """The corners of a star; `turn` in degrees."""
    return [
        (
            x
            + (outer if k % 2 == 0 else inner)
            * math.sin(math.pi * k / points + math.radians(turn)),
            y
            - (outer if k % 2 == 0 else inner)
            * math.cos(math.pi * k / points + math.radians(turn)),
        )
        for k in range(2 * points)
    ]


def around(
    count: int, shape: str, uid: str, x: float = 200, y: float = 200, turn: float = 0
) -> str:
    """`shape` (drawn as seen from x, y) repeated in a ring."""
    first = tag("g", shape, id=uid)
    step = 360 / count
    copies = "".join(
        tag("use", href=f"#{uid}", transform=f"rotate({number(k * step)} {number(x)} {number(y)})")
        for k in range(1, count)
    )
    return tag("g", first + copies, transform=f"rotate({number(turn)} {number(x)} {number(y)})")


def tiling(uid: str, w: float, h: float, inner: str, turn: str = "") -> str:
    """A pattern definition; fill with url(#uid)."""
    extra = {"patternTransform": turn} if turn else {}
    return tag("pattern", inner, id=uid, width=w, height=h, patternUnits="userSpaceOnUse", **extra)


def clipped(uid: str, shape: str, inner: str) -> str:
    """`inner`, seen only inside `shape`."""
    return tag("clipPath", shape, id=uid) + tag("g", inner, clip_path=f"url(#{uid})")


def many(count: int, draw: Callable[[int], str]) -> str:
    return "".join(draw(k) for k in range(count))


def niche(c: Canvas) -> str:
    """A horseshoe arch behind an object, and the floor it stands on."""
    arch = "M92 340V196C74 120 132 52 200 40C268 52 326 120 308 196V340Z"
    floor = mixed(c.ground, c.second, 30)
    return (
        path(arch, mixed(c.ground, c.first, 14))
        + path(arch, stroke=mixed(c.ground, c.second, 55), stroke_width=3)
        + rect(0, 338, 400, 62, floor)
    )


def shadow(rx: float, y: float = 342) -> str:
    return ellipse(200, y, rx, rx / 9, "#000000", opacity=0.18)
