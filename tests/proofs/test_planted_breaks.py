"""Each planted defect of reconciliation is found by the proof it names."""

import pytest

from chalicelib.edge import storage
from chalicelib.errors import MarketplaceError
from chalicelib.ledger import tables as ledger_tables
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.proofs.defect import Defect
from tests.proofs.planted_breaks import DEFECTS
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")

FOUND = (AssertionError, pytest.fail.Exception, MarketplaceError)  # or refused where it may not be


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found(
    defect: Defect, aws: LocalAws, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)
    monkeypatch.setattr(ledger_tables, "SHARD_COUNT", 1)
    defect.plant(monkeypatch)
    with pytest.raises(FOUND) as found:
        defect.proof(aws, api)
    assert "the code has changed" not in str(found.value)
