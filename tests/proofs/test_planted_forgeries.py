"""What is planted into how callbacks are verified and believed is found by the proof it names."""

import pytest

from infra.local.aws import LocalAws
from tests.aws import Api
from tests.proofs.defect import Defect
from tests.proofs.planted_forgeries import DEFECTS, Proof

FOUND = (AssertionError, pytest.fail.Exception)
PROOFS = list({id(defect.proof): defect.proof for defect in DEFECTS}.values())


@pytest.mark.parametrize("proof", PROOFS, ids=range(len(PROOFS)))
def test_without_a_defect_the_proof_holds(proof: Proof, aws: LocalAws, api: Api) -> None:
    proof(aws, api)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found(
    defect: Defect, aws: LocalAws, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    defect.plant(monkeypatch)
    with pytest.raises(FOUND) as found:
        defect.proof(aws, api)
    assert "the code has changed" not in str(found.value)
