"""A proof that cannot fail proves nothing: each planted defect is found by the proof it names."""

import pytest

from chalicelib.edge import storage
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.proofs.planted_defects import DEFECTS, Defect
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")

# A KeyError: an answer was no refusal, so it has no code.
FOUND = (AssertionError, KeyError, pytest.fail.Exception)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found(
    defect: Defect, aws: LocalAws, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "DUE_SHARD_COUNT", 1)
    defect.plant(monkeypatch)
    with pytest.raises(FOUND) as found:
        defect.proof(aws, api)
    assert "the code has changed" not in str(found.value)
