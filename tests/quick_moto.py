"""The short way into moto, for one test; see `infra.local.short_cut`."""

from collections.abc import Iterator

import pytest

from infra.local.short_cut import short_cut

__all__ = ["quick_moto", "short_cut"]


@pytest.fixture
def quick_moto() -> Iterator[None]:
    """The short way, for one test on moto."""
    with short_cut():
        yield
