"""Each planted defect of rules, frozen terms and discounts is found by the proof it names."""

import pytest

from chalicelib.errors import MarketplaceError
from infra.local.aws import LocalAws
from tests.integration.payments.conftest import Shop, bank, shop  # noqa: F401  fixtures
from tests.proofs.defect import Defect
from tests.proofs.planted_terms import DEFECTS
from tests.quick_moto import quick_moto  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("quick_moto")
FOUND = (AssertionError, MarketplaceError)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found(
    defect: Defect,
    aws: LocalAws,
    shop: Shop,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    defect.plant(monkeypatch)
    with pytest.raises(FOUND) as found:
        defect.proof(aws, shop)  # type: ignore[arg-type]
    assert "the code has changed" not in str(found.value)
