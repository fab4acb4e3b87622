"""Why a build or a deployment stops, in one sentence that the operator can act on."""


class CannotBuild(Exception):
    """The artefact cannot be made, or was made and breaks a promise; nothing usable is left."""


class CannotDeploy(Exception):
    """The artefact is good, but something that AWS or the operator must provide is missing."""
