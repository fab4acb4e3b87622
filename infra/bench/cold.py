"""The cold start: importing the API's handler and making its DynamoDB client, in new processes.

Both sides run from a folder as it is shipped: bytecode that is never compared with its source, and
nothing of this machine's site-packages. Ours leaves out what the build leaves out; the other side
is an empty Chalice app with boto3, as anybody would have it.
"""

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from infra.build.archive import is_needed

RUNS = 9
ROOT = Path(__file__).parent.parent.parent
SHIPPED_OF_CHALICE = ("chalice/__init__.py", "chalice/app.py")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
EMPTY_APP = 'from chalice import Chalice\n\napp = Chalice(app_name="empty")\n'
TIMED = """
import json, sys
sys.path.insert(0, {folder!r})
from time import perf_counter, process_time
wall, cpu = perf_counter(), process_time()
import app
{client}
print(json.dumps([process_time() - cpu, perf_counter() - wall]))
"""
OUR_CLIENT = """
from chalicelib.edge import storage
storage.aws_client("dynamodb")
storage.connection().client
"""
THEIR_CLIENT = """
import boto3
boto3.client("dynamodb")
"""
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-3",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "WARNING",
    "PYTHONHASHSEED": "0",
}


def _our_variables() -> dict[str, str]:
    """What the template tells the libraries; our own settings stay at their local values."""
    from infra.template.stack import environment

    return {
        name: value
        for name, value in environment("prod").items()
        if isinstance(value, str) and not name.startswith("MAALEM_")
    }


def measure(step: Callable[[], Any]) -> dict[str, Any]:
    """Medians in milliseconds of CPU; `step` is called after each of `steps()` steps."""
    with tempfile.TemporaryDirectory(prefix="maalem-bench-") as folder:
        ours, theirs = Path(folder, "ours"), Path(folder, "theirs")
        _lay_out_ours(ours)
        step()
        _lay_out_theirs(theirs)
        step()
        turns, variables = [], ENVIRONMENT | _our_variables()
        for turn in range(RUNS + 1):
            timed = (
                _timed(ours, OUR_CLIENT, variables),
                _timed(theirs, THEIR_CLIENT, ENVIRONMENT),
            )
            step()
            if turn:  # The first one reads the files from the disk.
                turns.append(timed)
    handler, empty = ([pair[side] for pair in turns] for side in (0, 1))
    cpu = [statistics.median(run[0] for run in side) for side in (handler, empty)]
    wall = [statistics.median(run[1] for run in side) for side in (handler, empty)]
    return {
        "handler_cpu_ms": round(cpu[0] * 1000, 1),
        "empty_cpu_ms": round(cpu[1] * 1000, 1),
        "handler_wall_ms": round(wall[0] * 1000, 1),
        "empty_wall_ms": round(wall[1] * 1000, 1),
        "ratio": round(cpu[0] / cpu[1], 2),
    }


def steps() -> int:
    return RUNS + 3


def zip_bytes() -> dict[str, int]:
    """The size of what `make package` has made, by stage."""
    made = sorted((ROOT / "build").glob("*/deployment.zip"))
    return {path.parent.name: path.stat().st_size for path in made}


def _lay_out_ours(folder: Path) -> None:
    wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    named = [found[0] for line in wanted if (found := _NAME.match(line))]
    _copy_packages(named, folder, is_needed)
    shutil.copy(ROOT / "app.py", folder)
    no_bytecode = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "chalicelib", folder / "chalicelib", ignore=no_bytecode)
    _compile(folder)


def _lay_out_theirs(folder: Path) -> None:
    _copy_packages(["boto3"], folder, lambda name: True)
    (folder / "app.py").write_text(EMPTY_APP, encoding="utf-8")
    _compile(folder)


def _copy_packages(named: list[str], folder: Path, is_wanted: Callable[[str], bool]) -> None:
    for name, source in _files_of(named):
        if not is_wanted(name) or name.startswith("..") or "__pycache__" in name:
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _files_of(named: list[str]) -> Iterator[tuple[str, Path]]:
    """The files of these packages, of all that they need, and of Chalice what it ships itself."""
    waiting, seen = list(named), set[str]()
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # For another Python or system than this one.
        for line in found.requires or ():
            if "extra ==" not in line and (needed := _NAME.match(line)):
                waiting.append(needed[0])
        yield from ((str(path), Path(str(path.locate()))) for path in found.files or ())
    chalice = distribution("chalice")
    yield from ((name, Path(str(chalice.locate_file(name)))) for name in SHIPPED_OF_CHALICE)


def _compile(folder: Path) -> None:
    subprocess.run(
        [
            sys.executable, "-s", "-m", "compileall", "-q", "-j", "0",
            "--invalidation-mode", "unchecked-hash", str(folder),
        ],
        check=True,
    )  # fmt: skip


def _timed(folder: Path, client: str, variables: dict[str, str]) -> tuple[float, float]:
    """(CPU, wall) in seconds of one new process, from its first import on."""
    code = TIMED.format(folder=str(folder), client=client)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code],
        check=True, capture_output=True, text=True, env=variables, cwd=folder,
    )  # fmt: skip
    cpu, wall = json.loads(done.stdout)
    return cpu, wall
