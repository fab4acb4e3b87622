"""Sealed texts open only whole, with our key, in their own context."""

import pytest
from cryptography.exceptions import InvalidTag

from chalicelib.config import settings
from chalicelib.edge.sealing import keyed_hash, seal, unseal

RIB = b"230810211040700000000030"


def test_P15_a_sealed_text_does_not_show_and_opens_again():
    sealed = seal(RIB, "rib:art_1")
    assert RIB not in sealed
    assert unseal(sealed, "rib:art_1") == RIB


def test_the_same_text_is_sealed_differently_each_time():
    assert seal(RIB, "rib:art_1") != seal(RIB, "rib:art_1")


def test_a_seal_of_another_context_does_not_open():
    with pytest.raises(InvalidTag):
        unseal(seal(RIB, "rib:art_1"), "rib:art_2")


@pytest.mark.parametrize("place", [0, 15, -1])
def test_a_changed_seal_does_not_open(place):
    sealed = bytearray(seal(RIB, "rib:art_1"))
    sealed[place] ^= 1
    with pytest.raises(InvalidTag):
        unseal(bytes(sealed), "rib:art_1")


def test_another_key_does_not_open(monkeypatch):
    sealed = seal(RIB, "rib:art_1")
    monkeypatch.setenv("MAALEM_SEALING_KEY", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
    settings.cache_clear()
    with pytest.raises(InvalidTag):
        unseal(sealed, "rib:art_1")


def test_a_keyed_hash_is_of_its_purpose_and_our_secret(monkeypatch):
    first = keyed_hash("AB123456", "cin")
    assert first == keyed_hash("AB123456", "cin")
    assert first != keyed_hash("AB123456", "phone")
    monkeypatch.setenv("MAALEM_SIGNING_SECRET", "another")
    settings.cache_clear()
    assert first != keyed_hash("AB123456", "cin")
