"""The drawings of the page on which a tourist pays, as inline SVG in the colour of the text."""


def _drawn(body: str) -> str:
    return (
        '<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.2"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
        f"{body}</svg>"
    )


CARD = _drawn('<rect x="3" y="6.5" width="26" height="19" rx="3"/><path d="M3 12.5h26M7.5 20h6"/>')
WALLET = _drawn(
    '<rect x="9" y="2.5" width="14" height="27" rx="3"/><path d="M14 25.5h4M13 9.5h6M13 14h6"/>'
)
QR = _drawn(
    '<rect x="4" y="4" width="9" height="9" rx="1.5"/><rect x="19" y="4" width="9" height="9"'
    ' rx="1.5"/><rect x="4" y="19" width="9" height="9" rx="1.5"/>'
    '<path d="M19 19h3v3M28 19v3M19 28h3M25 25h3v3"/>'
)
GOOD = _drawn(
    '<circle cx="16" cy="16" r="14" fill="currentColor" stroke="none"/>'
    '<path d="M9.5 16.5l4.5 4.5 9-9.5" class="tick" stroke-width="3"/>'
)
WAIT = _drawn('<circle cx="16" cy="16" r="13"/><path d="M16 8.5V16l5 3.5"/>')
BAD = _drawn('<circle cx="16" cy="16" r="13"/><path d="M11.5 11.5l9 9M20.5 11.5l-9 9"/>')
