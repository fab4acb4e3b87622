"""What is planted into taking money, giving it back and disputes is found by the proof it names."""

import pytest

from chalicelib.edge import storage
from infra.local.aws import LocalAws
from tests import quick_moto as moto
from tests.aws import Api
from tests.factories import shop
from tests.proofs.defect import Defect, Proof
from tests.proofs.planted_payments import DEFECTS, WIRED

pytestmark = pytest.mark.usefixtures("quick_moto", "frozen")
quick_moto, frozen = moto.quick_moto, shop.frozen
FOUND = (AssertionError, pytest.fail.Exception)


@pytest.mark.parametrize("proof", WIRED, ids=range(len(WIRED)))
def test_without_a_defect_the_proof_holds(
    proof: Proof, aws: LocalAws, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)
    proof(aws, api)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found(
    defect: Defect, aws: LocalAws, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)
    defect.plant(monkeypatch)
    with pytest.raises(FOUND) as found:
        defect.proof(aws, api)
    assert "the code has changed" not in str(found.value)
