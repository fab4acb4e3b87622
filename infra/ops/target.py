"""Which marketplace is meant: `make run` on this machine, or a stage on AWS."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.ops.errors import WrongUse
from infra.template.names import STAGES, prefix

LOCAL = "local"
DEFAULT_PORT = "8000"
REGION = "eu-west-3"
DEFAULT_OPERATOR = "demo-operator-001"


@dataclass(frozen=True, slots=True)
class Target:
    """`token` is empty locally: there it is asked for at `/_local/tokens`."""

    stage: str
    url: str
    token: str = ""
    region: str = REGION
    operator: str = DEFAULT_OPERATOR

    @property
    def is_local(self) -> bool:
        return self.stage == LOCAL

    @property
    def prefix(self) -> str:
        """What the names of its queues begin with."""
        return prefix(self.stage)

    @property
    def hint(self) -> str:
        return "Start it in another terminal: make run" if self.is_local else "Is the URL right?"


def read_target(
    stage: str | None, url: str | None, operator: str | None, environ: Mapping[str, str]
) -> Target:
    """From the command line, else from `MAALEM_OPS_STAGE`, `_URL`, `_TOKEN`.

    Raises:
        WrongUse: a stage on AWS without its address or a token.
    """
    stage = stage or environ.get("MAALEM_OPS_STAGE") or LOCAL
    if stage not in STAGES:
        raise WrongUse(f"The stage is {stage!r}: it is one of {', '.join(STAGES)}.")
    url = url or environ.get("MAALEM_OPS_URL") or ""
    if stage == LOCAL:
        port = environ.get("PORT") or DEFAULT_PORT
        named = operator or environ.get("MAALEM_OPS_OPERATOR") or DEFAULT_OPERATOR
        if url.startswith("https://"):
            raise WrongUse("The local stage is at an http address; for another give --stage.")
        return Target(LOCAL, (url or f"http://127.0.0.1:{port}").rstrip("/"), operator=named)
    if operator:
        raise WrongUse("--as is for the local stage; elsewhere the token says who you are.")
    token = environ.get("MAALEM_OPS_TOKEN", "")
    if not url.startswith("https://") or not token:
        raise WrongUse(
            f"Stage {stage} needs its https address (--url or MAALEM_OPS_URL)"
            " and an operator's token in MAALEM_OPS_TOKEN."
        )
    return Target(stage, url.rstrip("/"), token, environ.get("AWS_REGION") or REGION)
