"""Telling an artisan something, in the first language that they named."""

from chalicelib.artisans import service
from chalicelib.edge import notices
from chalicelib.edge.notices import Contact
from chalicelib.errors import NotFound

FALLBACK_LANGUAGE = "fr"


def tell_artisan(artisan_id: str, kind: str, what: str, **params: str | int) -> None:
    """Tell an artisan something once; `what` is the thing it is about. A stranger is not told."""
    try:
        profile = service.artisan(artisan_id).profile
    except NotFound:
        return
    language = profile.languages[0] if profile.languages else FALLBACK_LANGUAGE
    contact = Contact(name=profile.name, phone=profile.phone)
    notices.tell(kind, f"{kind}:{what}:{artisan_id}", contact, language, **params)
