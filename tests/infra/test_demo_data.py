"""The demo data: complete, believable in its numbers, and the same every time."""

import hashlib
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest

from chalicelib.crafts import CRAFTS, FAMILIES
from chalicelib.rib import is_valid_rib
from infra.demo import catalogue, sources
from infra.demo.catalogue import demo_artisans, demo_collections, demo_listings, demo_regions
from infra.demo.drawings import SHAPES, SHAPES_OF_CRAFT, draw

LISTINGS, ARTISANS = demo_listings(), demo_artisans()
PUBLISHED = tuple(listing for listing in LISTINGS if listing.status == "published")
BY_SUBJECT = {artisan.subject: artisan for artisan in ARTISANS}
OPEN = {region.code for region in demo_regions() if region.status in ("live", "pilot")}

# Exports to September 2025, in percent; the listings may differ by this many points.
SECTOR_PERCENT = {"pottery_and_stone": 34.7, "carpets": 17.7, "traditional_clothing": 17.1}
TOLERANCE_POINTS = 4
# Marrakech exports 41 %, Fes 18 %: the regions about them.
PLACE_PERCENT = {"MA-07": 41, "MA-03": 18}

LARGEST_SVG_BYTES = 6000
TIFINAGH = re.compile(r"^[\u2d30-\u2d7f0-9 ,.×()\-]+$")


def region_of(listing):
    return BY_SUBJECT[listing.artisan_subject].region


class TestCounts:
    def test_there_are_enough_artisans_and_listings(self):
        assert len(ARTISANS) >= 60
        assert len(LISTINGS) >= 400

    def test_two_regions_are_live_and_one_is_a_pilot(self):
        statuses = Counter(region.status for region in demo_regions())
        assert statuses == {"live": 2, "pilot": 1, "planned": 9}

    def test_every_region_has_artisans_and_listings(self):
        codes = {region.code for region in demo_regions()}
        assert {artisan.region for artisan in ARTISANS} == codes
        assert {region_of(listing) for listing in LISTINGS} == codes

    def test_every_family_and_craft_is_there(self):
        assert {listing.family for listing in LISTINGS} == set(FAMILIES)
        assert {listing.craft for listing in LISTINGS} == set(CRAFTS)

    @pytest.mark.parametrize("family", SECTOR_PERCENT)
    def test_the_great_families_weigh_as_in_the_sector(self, family):
        share = 100 * sum(listing.family == family for listing in LISTINGS) / len(LISTINGS)
        assert abs(share - SECTOR_PERCENT[family]) <= TOLERANCE_POINTS

    @pytest.mark.parametrize("region", PLACE_PERCENT)
    def test_the_strong_places_weigh_as_they_export(self, region):
        share = 100 * sum(region_of(listing) == region for listing in LISTINGS) / len(LISTINGS)
        assert abs(share - PLACE_PERCENT[region]) <= TOLERANCE_POINTS

    def test_two_thirds_of_the_listings_are_where_the_marketplace_is_open(self):
        open_count = sum(region_of(listing) in OPEN for listing in LISTINGS)
        assert 3 * open_count >= 2 * len(LISTINGS)


class TestArtisans:
    def test_subjects_phones_and_register_numbers_are_their_own(self):
        for field in ("subject", "phone", "national_register_number", "name"):
            assert len({getattr(artisan, field) for artisan in ARTISANS}) == len(ARTISANS)

    def test_money_has_somewhere_to_go(self):
        for artisan in ARTISANS:
            if artisan.payout.kind == "bank_account":
                assert is_valid_rib(artisan.payout.destination)
            else:
                assert artisan.payout.destination == artisan.phone
            assert re.fullmatch(r"\+2126\d{8}", artisan.phone)

    def test_each_has_a_place_a_craft_and_a_story_in_three_languages(self):
        for artisan in ARTISANS:
            assert (artisan.workshop_name is None) != (artisan.cooperative is None)
            assert artisan.crafts
            assert {"ar", "fr", "en"} <= set(artisan.story)
            assert set(artisan.languages) <= {"ar", "fr", "en", "zgh"}

    @pytest.mark.parametrize(
        ("subject", "region", "payout"),
        [
            ("demo-artisan-001", "MA-03", "bank_account"),
            ("demo-artisan-002", "MA-07", "wallet"),
        ],
    )
    def test_the_two_whom_the_demo_follows_can_sell(self, subject, region, payout):
        artisan = BY_SUBJECT[subject]
        theirs = [listing for listing in PUBLISHED if listing.artisan_subject == subject]
        assert (artisan.region, artisan.payout.kind) == (region, payout)
        assert artisan.stage == "verified"
        assert len(theirs) >= 3
        assert max(listing.stock_count for listing in theirs) >= 20


class TestListings:
    def test_only_verified_artisans_of_open_regions_have_published(self):
        for listing in PUBLISHED:
            assert region_of(listing) in OPEN
            assert BY_SUBJECT[listing.artisan_subject].stage == "verified"

    def test_each_is_ready_to_be_shipped_and_declared(self):
        for listing in LISTINGS:
            assert type(listing.price_minor) is int
            assert 5_000 <= listing.price_minor <= 2_000_000
            assert 10 <= listing.weight_grams <= 60_000
            assert all(side > 0 for side in listing.dimensions_mm)
            assert listing.stock_count >= 1
            assert listing.materials
            assert re.fullmatch(r"\d{6}", listing.hs_code)
            assert listing.hs_code.startswith(CRAFTS[listing.craft].hs_heading)
            assert listing.family == CRAFTS[listing.craft].family
            assert listing.collection in demo_collections()

    def test_each_is_told_in_three_languages(self):
        for listing in LISTINGS:
            assert {"ar", "fr", "en"} <= set(listing.texts)
            assert set(listing.alt_texts) == set(listing.texts)
            for language in ("ar", "fr", "en"):
                told = listing.texts[language]
                assert 8 <= len(told["title"]) <= 120
                assert len(told["description"]) > 60
                assert "{" not in told["title"] + told["description"]

    def test_arabic_and_tamazight_stand_in_their_own_letters(self):
        for listing in LISTINGS:
            arabic = listing.texts["ar"]["title"] + listing.texts["ar"]["description"]
            assert not re.search(r"[a-z]{3}", arabic)
            if "zgh" in listing.texts:
                assert TIFINAGH.match(listing.texts["zgh"]["title"])

    def test_some_are_told_in_tamazight(self):
        assert sum("zgh" in listing.texts for listing in PUBLISHED) >= 20

    def test_an_artisan_does_not_repeat_a_title(self):
        titles = Counter(
            (listing.artisan_subject, language, text["title"])
            for listing in LISTINGS
            for language, text in listing.texts.items()
            if language != "zgh"
        )
        assert max(titles.values()) == 1
        assert len({listing.slug for listing in LISTINGS}) == len(LISTINGS)

    def test_every_text_that_was_written_is_used(self):
        made = {key for row in sources.artisans() for key in row["makes"]}
        assert made == set(sources.products())


class TestDrawings:
    def test_each_is_small_and_well_formed(self):
        for listing in LISTINGS:
            svg = listing.image_svg()
            assert len(svg.encode()) < LARGEST_SVG_BYTES
            root = ElementTree.fromstring(svg)
            ids = [element.get("id") for element in root.iter() if element.get("id")]
            assert len(ids) == len(set(ids))
            assert set(re.findall(r"#(s[0-9a-f]{8}\w*)", svg)) <= set(ids)
            assert "<text" not in svg

    def test_every_craft_can_be_drawn_without_a_shape(self):
        assert set(SHAPES_OF_CRAFT) == set(CRAFTS)
        assert {shape for shapes in SHAPES_OF_CRAFT.values() for shape in shapes} <= set(SHAPES)
        for craft in CRAFTS:
            assert draw(craft, "one", 120, 90) == draw(craft, "one", 120, 90)
            assert draw(craft, "one") != draw(craft, "two")


def test_two_builds_are_equal():
    def fingerprint():
        pieces = [repr((demo_regions(), demo_artisans(), demo_listings()))]
        pieces += [listing.image_svg() for listing in demo_listings()]
        return hashlib.sha256("\n".join(pieces).encode()).hexdigest()

    first = fingerprint()
    for kept in (catalogue.demo_regions, catalogue.demo_artisans, catalogue.demo_listings):
        kept.cache_clear()
    assert fingerprint() == first
