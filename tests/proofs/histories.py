"""`make histories`: 10,000 lives of money, one pytest after the other, with a progress bar.

`python -m tests.proofs.histories [how many] [from which seed]`; the first that fails ends it and
says how to play it again.
"""

import os
import subprocess
import sys

from rich.console import Console
from rich.progress import Progress

WANTED = 10_000
AT_ONCE = 300
STEPS = "12"  # three times as long as in `make test`
COMMAND = ("-m", "pytest", "-q", "-n0", "-x", "tests/proofs/test_money_histories.py")


def main() -> int:
    given = [int(text) for text in sys.argv[1:]]
    wanted, first = (*given, *(WANTED, 0)[len(given) :])
    console = Console(stderr=True)
    with Progress(console=console) as progress:
        task = progress.add_task("lives of money", total=wanted)
        for start in range(first, first + wanted, AT_ONCE):
            count = min(AT_ONCE, first + wanted - start)
            told = {"HISTORY": str(start), "HISTORIES": str(count), "HISTORY_STEPS": STEPS}
            done = subprocess.run(
                [sys.executable, *COMMAND], env=os.environ | told, capture_output=True, text=True
            )
            if done.returncode:
                console.print(done.stdout[-4_000:], highlight=False, markup=False)
                return 1
            progress.advance(task, count)
    console.print(f"{wanted:,} lives of money: each adds up after every step and comes to rest")
    return 0


if __name__ == "__main__":
    sys.exit(main())
