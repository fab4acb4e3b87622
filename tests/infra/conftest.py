"""The deployable artefact, packaged once per run for all who look at it."""

import pytest

from infra.build.package import build


@pytest.fixture(scope="session")
def artefact(tmp_path_factory):
    return build("prod", tmp_path_factory.mktemp("prod"))


@pytest.fixture(scope="session")
def template(artefact):
    """What CloudFormation is asked to make, after SAM's translation."""
    return artefact.translated
