"""How things are called: physical names by stage, logical ids by noun."""

import re

APP = "maalem"
STAGES = ("local", "dev", "prod")


def physical(stage: str, name: str) -> str:
    """The name on AWS: `maalem-prod-orders`."""
    return f"{prefix(stage)}{name}"


def prefix(stage: str) -> str:
    return f"{APP}-{stage}-"


def logical(*words: str) -> str:
    """The id inside the template: `logical("orders", "table")` is `OrdersTable`."""
    parts = (part for word in words for part in re.split(r"[^0-9A-Za-z]+", word) if part)
    return "".join(part[:1].upper() + part[1:] for part in parts)


def arn(logical_id: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def ref(logical_id: str) -> dict[str, str]:
    return {"Ref": logical_id}
