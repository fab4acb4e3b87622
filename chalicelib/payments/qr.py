"""QR codes as SVG: no script, no size of their own, and a title for those who cannot see them."""

from functools import lru_cache
from io import BytesIO

QUIET_ZONE = 4  # modules of light around the code, as ISO/IEC 18004 wants
MAX_KEPT = 64


@lru_cache(maxsize=MAX_KEPT)
def svg_of(payload: str, title: str) -> str:
    """A code that holds `payload`, readable with 15 % of it covered (level M, or better where that
    needs no larger code). Black on white whatever is around it: many readers want it so."""
    # Imported here: drawing is asked of few processes, and the tables cost a cold start.
    import segno

    encoding = None if payload.isascii() else "utf-8"
    code = segno.make_qr(payload, error="m", encoding=encoding)
    drawn = BytesIO()
    code.save(
        drawn,
        kind="svg",
        title=title,
        border=QUIET_ZONE,
        light="#fff",
        omitsize=True,
        xmldecl=False,
        svgclass=None,
        lineclass=None,
        nl=False,
    )
    return drawn.getvalue().decode()
