"""`python -m infra.ops` is the same as `python -m infra ops`."""

import sys

from infra.ops.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
