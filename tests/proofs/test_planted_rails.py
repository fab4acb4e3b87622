"""Each planted defect of rails and banks' reports is found by the proof it names."""

import pytest

from chalicelib.errors import MarketplaceError
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.proofs.defect import Defect
from tests.proofs.planted_rails import DEFECTS
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")

FOUND = (AssertionError, AttributeError, pytest.fail.Exception, MarketplaceError)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found(
    defect: Defect, aws: LocalAws, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    defect.plant(monkeypatch)
    with pytest.raises(FOUND) as found:
        defect.proof(aws, api)
    assert "the code has changed" not in str(found.value)
