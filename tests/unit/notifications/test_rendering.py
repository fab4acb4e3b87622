"""Templates and what fills them: complete in three languages, short, and rightly written."""

import re

import pytest

from chalicelib.locales import Language
from chalicelib.notice import KINDS
from chalicelib.notifications.rendering import MAX_CHARACTERS, placeholders, render
from chalicelib.notifications.templates import TEMPLATES
from tests.factories.notifications import LONGEST, ORDER_ID, USUAL, params_of

WRITTEN = ("ar", "fr", "en")
FSI, PDI, NBSP = "\u2068", "\u2069", "\u00a0"
EVERY = [(kind, language) for kind in KINDS for language in WRITTEN]
RAMADAN, WINTER, SUMMER = "2026-03-01T22:30:00Z", "2027-01-15T22:30:00Z", "2026-07-15T22:30:00Z"


def text_of(kind: str, language: str, **changes) -> str:
    return render(kind, params_of(kind) | changes, language).text


def needed(kind: str) -> dict:
    return {name: USUAL[name] for name in KINDS[kind].needs}


class TestTemplates:
    def test_every_kind_is_there_in_arabic_french_and_english(self):
        assert TEMPLATES.keys() == KINDS.keys()
        assert {kind for kind, words in TEMPLATES.items() if words.keys() != set(WRITTEN)} == set()

    @pytest.mark.parametrize(("kind", "language"), EVERY)
    def test_all_that_a_kind_has_is_said_and_nothing_else_is_asked_for(self, kind, language):
        subject, *sentences = TEMPLATES[kind][Language(language)]
        assert placeholders(subject) == set()
        assert set().union(*map(placeholders, sentences)) == KINDS[kind].params

    @pytest.mark.parametrize(("kind", "language"), EVERY)
    def test_what_a_kind_need_not_have_stands_in_a_sentence_of_its_own(self, kind, language):
        _, *sentences = TEMPLATES[kind][Language(language)]
        for sentence in sentences:
            asked = placeholders(sentence)
            assert asked <= KINDS[kind].needs or asked == asked & KINDS[kind].may_have
        assert any(placeholders(sentence) <= KINDS[kind].needs for sentence in sentences)

    @pytest.mark.parametrize("kind", KINDS)
    def test_each_language_is_written_in_its_letters(self, kind):
        for language, words in TEMPLATES[kind].items():
            bare = re.sub(r"\{\w+\}", "", "".join(words))
            assert bool(re.search("[\u0621-\u064a]", bare)) == (language == "ar")
            assert bool(re.search("[A-Za-z]", bare)) == (language != "ar")


class TestText:
    @pytest.mark.parametrize(("kind", "language"), EVERY)
    @pytest.mark.parametrize("params", [params_of, needed])
    def test_no_placeholder_is_left(self, kind, language, params):
        words = render(kind, params(kind), language)
        assert words.subject
        assert not re.search(r"[{}]|None", words.subject + words.text)
        assert words.text == " ".join(words.text.split(" "))
        assert "  " not in words.text

    @pytest.mark.parametrize(("kind", "language"), EVERY)
    def test_the_longest_text_is_an_sms_in_latin_and_two_in_arabic_letters(self, kind, language):
        words = render(kind, params_of(kind, LONGEST), language)
        assert len(words.text) <= MAX_CHARACTERS[language]
        assert len(words.subject) <= 40

    def test_a_voucher_s_code_is_said_only_where_there_is_one(self):
        assert USUAL["voucher_code"] in text_of("order_placed", "fr")
        without = render("order_placed", needed("order_placed"), "fr").text
        assert without.endswith("(heure du Maroc).")
        assert "Code" not in without

    def test_an_artisan_reads_what_to_pack_how_many_and_in_which_parcel(self):
        text = text_of("order_sold", "en")
        assert f"2 × Vase, Tagine (3 in all). Parcel {USUAL['parcel_id']}" in text

    def test_a_long_list_of_goods_is_cut_and_shows_that_it_is(self):
        text = text_of("order_sold", "fr", goods="Grand plateau de zellige de Fès, " * 5)
        assert "À emballer : Grand plateau de zellige de Fès, Grand…" in text

    @pytest.mark.parametrize(
        ("asked", "used"),
        [("ar", "ar"), ("fr", "fr"), ("en", "en"), ("zgh", "fr"), ("de", "fr"), ("", "fr")],
    )
    def test_the_language_of_the_text_is_told(self, asked, used):
        words = render("order_paid", params_of("order_paid"), asked)
        assert words.language == used
        assert words == render("order_paid", params_of("order_paid"), used)


class TestNumbers:
    @pytest.mark.parametrize(
        ("language", "amount_minor", "shown"),
        [
            ("fr", 128_500, f"1{NBSP}285,00{NBSP}MAD"),
            ("en", 128_500, f"MAD{NBSP}1,285.00"),
            ("ar", 128_500, f"{FSI}1.285,00{PDI}{NBSP}درهم"),
            ("fr", 5, f"0,05{NBSP}MAD"),
            ("fr", 123_456_789, f"1{NBSP}234{NBSP}567,89{NBSP}MAD"),
            ("en", 99_999, f"MAD{NBSP}999.99"),
        ],
    )
    def test_an_amount_is_written_as_its_readers_write_it(self, language, amount_minor, shown):
        assert shown in text_of("order_paid", language, amount_minor=amount_minor)

    @pytest.mark.parametrize(
        ("language", "until", "shown"),
        [
            ("fr", SUMMER, "15 juillet à 23:30 (heure du Maroc)"),
            ("fr", RAMADAN, "1er mars à 22:30 (heure du Maroc)"),
            ("en", WINTER, "15 January at 22:30 (Morocco time)"),
            ("en", "2026-07-15T23:30:00+00:00", "16 July at 00:30 (Morocco time)"),
            ("en", "2026-07-15T23:30:00+02:00", "15 July at 22:30 (Morocco time)"),
            ("ar", SUMMER, f"{FSI}15{PDI} يوليوز {FSI}23:30{PDI} بتوقيت المغرب"),
        ],
    )
    def test_a_time_is_morocco_s_an_hour_ahead_until_september_2026(self, language, until, shown):
        assert shown in text_of("parcel_delivered", language, until=until)


class TestDirection:
    @pytest.mark.parametrize("kind", KINDS)
    def test_in_arabic_ids_and_numbers_stand_apart(self, kind):
        text = text_of(kind, "ar")
        outside = re.sub(f"{FSI}[^{FSI}{PDI}]*{PDI}", "", text)
        assert not re.search(f"[0-9A-Za-z{FSI}{PDI}]", outside)

    def test_western_digits_are_written(self):
        assert f"{FSI}1.285,00{PDI}" in text_of("order_paid", "ar")

    def test_in_french_only_what_is_arabic_stands_apart(self):
        assert FSI not in text_of("order_sold", "fr")
        assert f"{FSI}مزهرية{PDI}" in text_of("order_sold", "fr", goods="مزهرية")

    def test_what_would_turn_the_text_around_it_is_left_out(self):
        carrier = "Ama\u202ena\u2069\u2066\n\x00 Post\u200b"
        text = text_of("parcel_shipped", "ar", carrier=carrier)
        assert f"{FSI}Amana Post{PDI}" in text

    def test_text_that_looks_like_a_placeholder_stays_text(self):
        assert "{order_id}" in text_of("parcel_shipped", "fr", carrier="{order_id}")
        assert ORDER_ID in text_of("parcel_shipped", "fr", carrier="{order_id}")
