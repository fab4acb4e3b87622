"""Which language a reader gets."""

import pytest

from chalicelib.locales import Language, preferred, text_in


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "fr"),
        ("", "fr"),
        ("ar", "ar"),
        ("zgh-Tfng-MA", "zgh"),
        ("AR-ma", "ar"),
        ("de, en;q=0.5", "en"),
        ("en;q=0.5, ar;q=0.9", "ar"),
        ("en, ar", "en"),
        ("en;q=0, ar;q=0.1", "ar"),
        ("en;q=0", "fr"),
        ("*", "fr"),
        ("de", "fr"),
        ("en;q=2", "en"),
        ("en;q=x", "fr"),
        ("en;q=²", "fr"),
        (",;=,;q", "fr"),
        ("x," * 5000 + "ar", "fr"),
    ],
)
def test_the_first_language_that_we_speak_by_weight(header, language):
    assert preferred(header) is Language(language)


@pytest.mark.parametrize(
    ("texts", "asked", "given"),
    [
        ({"ar": "زربية", "fr": "tapis"}, "ar", ("زربية", "ar")),
        ({"ar": "زربية", "fr": "tapis", "en": "rug"}, "zgh", ("tapis", "fr")),
        ({"ar": "زربية", "en": "rug"}, "zgh", ("rug", "en")),
        ({"ar": "زربية"}, "en", ("زربية", "ar")),
        ({"fr": "", "ar": "زربية"}, "fr", ("زربية", "ar")),
        ({}, "en", ("", "en")),
    ],
)
def test_another_text_stands_in_for_a_missing_one(texts, asked, given):
    assert text_in(texts, asked) == given
