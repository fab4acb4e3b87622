"""An operator at a terminal: types commands, reads the screen, answers what is asked."""

import io
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from rich.console import Console

from chalicelib.edge.queues import dead_letter_name, url_of
from infra.ops.commands import main

WIDTH = 132
AMOUNT = re.compile(r"-?[\d,]+\.\d\d [A-Z]{3}")


@dataclass(frozen=True)
class Ran:
    """How a command ended: its exit code, its output, and what was said beside it."""

    code: int
    out: str
    aside: str

    @property
    def all(self) -> str:
        return self.out + self.aside


class Operator:
    """At the server's address. Without `answers` everything is agreed to, and what is to be typed
    is read off the screen, as a careful person would.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []

    def run(
        self,
        command: str,
        answers: Sequence[str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Ran:
        words = shlex.split(command)
        out, aside = io.StringIO(), io.StringIO()
        given = list(answers) if answers is not None else None
        ask = (lambda _: _next(given)) if given is not None else _reader(aside, words)

        def asking(prompt: str) -> str:
            self.asked.append(prompt)
            return str(ask(prompt))

        code = main(
            words,
            environ={"MAALEM_OPS_URL": self.url} if environ is None else environ,
            screen=Console(file=out, width=WIDTH),
            aside=Console(file=aside, width=WIDTH),
            ask=asking,
        )
        return Ran(code, out.getvalue(), aside.getvalue())


def _next(answers: list[str]) -> str:
    if not answers:
        raise EOFError
    return answers.pop(0)


def _reader(aside: io.StringIO, words: Sequence[str]) -> Callable[[str], str]:
    def ask(prompt: str) -> str:
        if prompt.endswith("[y/N] "):
            return "y"
        lines = [line.strip() for line in aside.getvalue().splitlines()]
        if "characters of its id" in prompt:
            return words[-1][:8]
        shown = next(line for line in reversed(lines) if line.startswith(("all ", "amount ")))
        amounts = AMOUNT.findall(shown)
        if "count" in prompt:
            return " ".join([shown.split()[1], *amounts])
        return str(amounts[-1])

    return ask


def bury(queue: str, body: str, reason: str | None = "failed: KeyError") -> None:
    """A message in a dead-letter queue, as it would be put there."""
    attributes = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
    boto3.client("sqs").send_message(
        QueueUrl=url_of(dead_letter_name(queue)), MessageBody=body, MessageAttributes=attributes
    )


def bodies_on(queue: str) -> list[str]:
    """What can be received from a queue now; it is left there."""
    sqs = boto3.client("sqs")
    found: list[Any] = []
    while messages := sqs.receive_message(
        QueueUrl=url_of(queue), MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages", []):
        found += messages
    for message in found:
        sqs.change_message_visibility(
            QueueUrl=url_of(queue), ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return sorted(message["Body"] for message in found)
