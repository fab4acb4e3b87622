"""`make demo`: one order's whole way over HTTP, against a running `make run`."""

import os
import sys

import httpx
from rich.console import Console

from infra.demo.client import DemoFailed, Marketplace
from infra.demo.journey import Journey


def main() -> int:
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    console = Console()
    try:
        with Marketplace(address) as marketplace:
            Journey(marketplace, console).run()
    except httpx.ConnectError:
        console.print(f"Nothing answers at {address}. Start it in another terminal: make run")
        return 2
    except DemoFailed as failure:
        console.print(f"[red]{failure}[/red]")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
