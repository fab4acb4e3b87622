"""A proof that cannot fail proves nothing: each planted defect is found by the proof it names."""

import pytest

from chalicelib.edge import storage
from infra.local.aws import LocalAws
from tests import quick_moto as moto
from tests.aws import Api
from tests.proofs.planted_stock import DEFECTS, Defect

pytestmark = pytest.mark.usefixtures("quick_moto")
quick_moto = moto.quick_moto
FOUND = (AssertionError, pytest.fail.Exception)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found(
    defect: Defect, aws: LocalAws, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)
    defect.plant(monkeypatch)
    with pytest.raises(FOUND) as found:
        defect.proof(aws, api)
    assert "the code has changed" not in str(found.value)
