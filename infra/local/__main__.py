"""`python -m infra.local`: the whole marketplace on this machine."""

import argparse
import io
import logging
import os
import signal
import sys
import threading
from typing import TextIO

from rich.console import Console
from rich.logging import RichHandler

from infra.local.environment import (
    CannotStart,
    LocalSettings,
    read_settings,
    set_aws_environment,
)

CANNOT_START = 2


class WithoutMetrics(io.TextIOBase):
    """Passes on what is written, but for metrics, which are lines for CloudWatch to read."""

    def __init__(self, to: TextIO) -> None:
        self._to = to
        self._skips_line_end = False

    def write(self, text: str) -> int:
        if text.startswith('{"_aws"'):
            self._skips_line_end = not text.endswith("\n")
        elif self._skips_line_end and text == "\n":
            self._skips_line_end = False
        else:
            self._to.write(text)
        return len(text)

    def flush(self) -> None:
        self._to.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    parser.add_argument("--port", help="where to listen on 127.0.0.1 (PORT, else 8000)")
    arguments = parser.parse_args()
    # Standard output carries one line, `ready ...`; the app's logs, which go there in Lambda,
    # go to standard error.
    out, sys.stdout = sys.stdout, WithoutMetrics(sys.stderr)
    console = Console(stderr=True)
    handler = RichHandler(console=console, show_path=False)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], format="%(message)s")
    try:
        given = read_settings(arguments.port, os.environ)
        return _run(given, console, out)
    except CannotStart as refusal:
        console.print(str(refusal), style="bold red", highlight=False, soft_wrap=True)
        return CANNOT_START


def _run(given: LocalSettings, console: Console, out: TextIO) -> int:
    set_aws_environment()
    from infra.local.stack import LocalStack  # After the environment: it imports clients.

    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    stack = LocalStack(given)
    try:
        with console.status("Starting") as status:
            url = stack.start(status.update)
        print(f"ready {url}", file=out, flush=True)
        ended.wait()
        console.print("Stopping")
        return 0
    finally:
        stack.stop()


if __name__ == "__main__":
    sys.exit(main())
