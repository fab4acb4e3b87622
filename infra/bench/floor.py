"""The floor of the throughput: DynamoDB calls that were recorded, made again under other ids."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config

from infra.bench.recording import AwsCall

# Ids and digests; whatever is shorter is a word or a number.
_TOKEN = re.compile(r"[A-Za-z0-9]{16,}")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
COUNTED = 6  # letters at the end of an id that number its copies

Call = tuple[Callable[..., Any], dict[str, Any]]


def tokens_in(value: Any) -> Iterator[str]:
    """The ids in parameters of any shape, names of attributes included."""
    if isinstance(value, str):
        yield from _TOKEN.findall(value)
    elif isinstance(value, dict):
        for name, inside in value.items():
            yield from tokens_in(name)
            yield from tokens_in(inside)
    elif isinstance(value, (list, tuple)):
        for inside in value:
            yield from tokens_in(inside)


def own_tokens(samples: Sequence[Iterable[AwsCall]]) -> list[frozenset[str]]:
    """Of each sample the ids that no other has: what stands in several names what they share."""
    found = [frozenset(tokens_in([call.params for call in sample])) for sample in samples]
    shared = {
        token
        for place, tokens in enumerate(found)
        for token in tokens
        if any(token in others for at, others in enumerate(found) if at != place)
    }
    return [tokens - shared for tokens in found]


def renamed(value: Any, own: frozenset[str], number: int) -> Any:
    """The same parameters with copy `number` of each own id, as long as it was."""
    if isinstance(value, str):
        return _TOKEN.sub(lambda found: _copy(found[0], own, number), value)
    if isinstance(value, dict):
        return {
            renamed(name, own, number): renamed(inside, own, number)
            for name, inside in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [renamed(inside, own, number) for inside in value]
    return value


def _copy(token: str, own: frozenset[str], number: int) -> str:
    if token not in own:
        return token
    text = ""
    for _ in range(COUNTED):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return token[:-COUNTED] + text


def calls_of(
    client: Any, sample: Iterable[AwsCall], own: frozenset[str], number: int
) -> list[Call]:
    """What does once more what the sample did: methods of the client, with their parameters."""
    return [
        (getattr(client, xform_name(call.operation)), renamed(call.params, own, number))
        for call in sample
        if call.service == "dynamodb"
    ]


def bare_client(clients: int) -> Any:
    config = Config(parameter_validation=False, max_pool_connections=clients)
    return botocore.session.get_session().create_client("dynamodb", config=config)
