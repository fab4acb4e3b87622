"""What several tests of settlement start from."""

import pytest

from chalicelib.config import settings


@pytest.fixture
def netted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payout takes all that is owed, as one does that its artisan asked for."""
    monkeypatch.setenv("MAALEM_RECOVERY_LIMIT_BP_PER_PAYOUT", "10000")
    settings.cache_clear()
