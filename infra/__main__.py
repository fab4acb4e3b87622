"""`python -m infra ops …`: the operators' commands. The other tools are `python -m infra.NAME`."""

import sys

from infra.ops.commands import main

USAGE = "usage: python -m infra ops NOUN VERB …    (python -m infra ops --help lists them)"


def run(arguments: list[str]) -> int:
    if arguments[:1] != ["ops"]:
        print(USAGE, file=sys.stderr)
        return 2
    return main(arguments[1:])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
