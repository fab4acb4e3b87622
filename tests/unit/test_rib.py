"""Moroccan account and company numbers."""

import pytest

from chalicelib.rib import is_valid_ice, is_valid_rib, key_of, masked, normalise


def a_rib(first_22_digits: str = "0118100000780002011062") -> str:
    return first_22_digits + key_of(first_22_digits)


@pytest.mark.parametrize("rib", [a_rib(), a_rib("0" * 22), a_rib("9" * 22), a_rib("1" * 22)])
def test_a_rib_with_its_key_is_valid(rib):
    assert is_valid_rib(rib)


def test_blanks_and_hyphens_between_the_fields_do_not_matter():
    rib = a_rib()
    assert is_valid_rib(f"{rib[:3]} {rib[3:6]}-{rib[6:22]}\u00a0{rib[22:]}")
    assert normalise(f" {rib} ") == rib


def test_every_single_wrong_digit_is_found():
    rib = a_rib()
    for place in range(24):
        for digit in "0123456789":
            changed = rib[:place] + digit + rib[place + 1 :]
            assert is_valid_rib(changed) == (changed == rib)


def test_two_neighbours_changed_over_are_found():
    rib = a_rib("0123456789012345678901")
    for place in range(23):
        changed = rib[:place] + rib[place + 1] + rib[place] + rib[place + 2 :]
        assert not is_valid_rib(changed)


@pytest.mark.parametrize(
    "text",
    ["", "0" * 24, "1" * 23, "1" * 25, "MA64" + "0" * 24, "٠" * 24, a_rib() + "\n", "a" * 24],
)
def test_anything_else_is_not(text):
    assert not is_valid_rib(text)


def test_the_key_is_1_to_97():
    # 97 and 0 are the same remainder: only 97 is ever given, so 00 is refused.
    first = next(f"{n:022d}" for n in range(1000) if key_of(f"{n:022d}") == "97")
    assert is_valid_rib(first + "97")
    assert not is_valid_rib(first + "00")


def test_a_masked_rib_cannot_be_paid_to():
    rib = a_rib()
    assert masked(rib) == f"{rib[:3]}…{rib[-4:]}"
    assert not is_valid_rib(masked(rib))


def test_an_ice_has_15_digits_and_its_control_number():
    ice = next(
        f"{number:015d}" for number in range(1_500_000_000, 1_500_000_200) if number % 97 == 0
    )
    assert is_valid_ice(ice)
    assert not is_valid_ice(f"{int(ice) + 1:015d}")
    assert not is_valid_ice(ice[1:])
