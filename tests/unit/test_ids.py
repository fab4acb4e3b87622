"""Ids: their form, and what they follow from."""

import re

import pytest

from chalicelib import ids

FORM = re.compile(r"ord_[a-z2-7]{24}")


@pytest.mark.parametrize(
    "made",
    [ids.new_id("ord"), ids.derived_id("ord", "a"), ids.keyed_id("ord", "secret", "a")],
    ids=["random", "derived", "keyed"],
)
def test_an_id_is_its_kind_and_24_letters(made):
    assert FORM.fullmatch(made)


def test_random_ids_differ():
    assert len({ids.new_id("lst") for _ in range(1000)}) == 1000


def test_the_same_parts_give_the_same_id():
    assert ids.derived_id("pay", "a", "b") == ids.derived_id("pay", "a", "b")


@pytest.mark.parametrize(
    "parts", [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("", "abc")]
)
def test_the_bounds_between_parts_count(parts):
    others = {("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("", "abc")} - {parts}
    assert ids.derived_id("pay", *parts) not in {ids.derived_id("pay", *each) for each in others}


def test_a_keyed_id_needs_its_secret():
    assert ids.keyed_id("ord", "one", "a") != ids.keyed_id("ord", "two", "a")


def test_a_derived_id_never_changes_between_releases():
    # Stored ids were made by this function; another result would orphan them.
    assert ids.derived_id("art", "demo-artisan-001") == "art_i6ieqhwdnzs2ilc76zxqc3rr"


def test_shards_are_stable_and_cover_the_range():
    shards = [ids.shard_of(f"key-{number}", 8) for number in range(400)]
    assert set(shards) == set(range(8))
    assert shards == [ids.shard_of(f"key-{number}", 8) for number in range(400)]


def test_text_and_bytes_have_the_same_fingerprint():
    assert ids.fingerprint("é") == ids.fingerprint("é".encode())
    assert ids.fingerprint("a") != ids.fingerprint("b")


class TestParts:
    def test_a_part_knows_its_whole(self):
        order = ids.new_id("ord")
        parcel = ids.child_id("prc", order, 7)
        assert parcel.startswith("prc_")
        assert ids.parent_id("ord", parcel) == order

    @pytest.mark.parametrize("number", [0, 100, -1])
    def test_there_are_1_to_99_parts(self, number):
        with pytest.raises(AssertionError):
            ids.child_id("prc", ids.new_id("ord"), number)

    @pytest.mark.parametrize("text", ["", "prc_", "prc_abc01", "prc_" + "1" * 26, "x" * 300])
    def test_another_text_is_no_part(self, text):
        assert ids.parent_id("ord", text) is None
