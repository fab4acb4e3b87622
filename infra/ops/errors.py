"""Why a command did not do what it was asked: sentences that say what to do."""


class OpsFailed(Exception):
    """Refused or failed: exit code 1."""


class WrongUse(Exception):
    """The command line is wrong: exit code 2."""


class NotConfirmed(OpsFailed):
    """The operator did not confirm; nothing was changed."""
