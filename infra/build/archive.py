"""The zip: what Chalice packed, less what Lambda never reads, plus bytecode; always the same."""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.build.errors import CannotBuild

RUNTIME_PYTHON = (3, 11)
SERVICES = frozenset({"dynamodb", "s3", "sqs", "sts"})
"""Whose data botocore keeps: what the code makes clients of, and `sts` for credentials."""

UNUSED = (
    "aws_lambda_powertools/event_handler/",  # Chalice routes.
    *(
        f"aws_lambda_powertools/utilities/{name}/"
        for name in (
            "auth_alpha", "circuit_breaker", "data_classes", "data_masking", "feature_flags",
            "idempotency", "kafka", "parameters", "parser", "streaming", "validation",
        )
    ),
    "cffi/",  # cryptography needs its compiled half only, `_cffi_backend`.
    "pycparser/",
    "dateutil/easter.py",
    "dateutil/rrule.py",
    "dateutil/zoneinfo/dateutil-zoneinfo.tar.gz",  # The system has the time zones.
    "pydantic/color.py",
    "pydantic/experimental/",
    "pydantic/mypy.py",
    "pydantic/v1/",
    "segno/cli.py",
    "segno/helpers.py",
    "urllib3/contrib/emscripten/",
    "urllib3/contrib/pyopenssl.py",
)  # fmt: skip
"""What nothing we ship imports; the build looks for itself."""

ZONES = frozenset({"tzdata/zoneinfo/Africa/Casablanca"})
"""The local times that messages tell, of six hundred; the code reads them from the package."""

MAX_ZIP_BYTES = 12 * 1024 * 1024
OURS = ("app.py", "chalicelib")
TASK_ROOT = "/var/task"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
USELESS_SUFFIXES = (".pyi", ".pyc", ".c", ".h", ".pxd", ".pyx", ".typed")
USELESS_FILES = frozenset({"RECORD", "WHEEL", "INSTALLER", "REQUESTED", "top_level.txt"})
USELESS_FOLDERS = frozenset({"tests", "test", "sboms", "__pycache__"})


def rebuild(packed: Path, workplace: Path, out: Path) -> str:
    """Write `out` from Chalice's zip and answer its SHA-256.

    Args:
        workplace: a folder that this function may empty and fill; it holds the unpacked zip after.

    Raises:
        CannotBuild: this is another Python than Lambda's, or the zip is over its limit.
    """
    if sys.version_info[:2] != RUNTIME_PYTHON:
        wanted = ".".join(map(str, RUNTIME_PYTHON))
        raise CannotBuild(f"build with Python {wanted}: bytecode of another one is not read")
    _unpack(packed, workplace)
    _refuse_missing_modules(workplace)
    _trim_endpoints(workplace)
    _compile(workplace)
    _pack(workplace, out)
    size = out.stat().st_size
    if size > MAX_ZIP_BYTES:
        raise CannotBuild(f"the zip has {size:,} bytes, over its limit of {MAX_ZIP_BYTES:,}")
    return hashlib.sha256(out.read_bytes()).hexdigest()


def is_needed(name: str) -> bool:
    """False for what is never read inside Lambda. Licences and package metadata stay."""
    parts = name.split("/")
    if name.startswith(UNUSED):
        return False
    if parts[:2] == ["botocore", "data"] and len(parts) > 3:
        return parts[2] in SERVICES and not parts[-1].startswith("examples-")
    if parts[0] == "tzdata" and parts[-1] != "__init__.py":
        return name in ZONES
    if name.endswith(USELESS_SUFFIXES) or USELESS_FOLDERS & set(parts[:-1]):
        return False
    in_metadata = parts[0].endswith((".dist-info", ".data"))
    return not (in_metadata and (parts[-1] in USELESS_FILES or parts[0].endswith(".data")))


def _unpack(packed: Path, workplace: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        for name in archive.namelist():
            if not name.endswith("/") and is_needed(name):
                archive.extract(name, workplace)


def _refuse_missing_modules(workplace: Path) -> None:
    """What was left out is left out only as long as our own code does not ask for it."""
    left_out = tuple(name.rstrip("/").removesuffix(".py").replace("/", ".") for name in UNUSED)
    for path in sorted(workplace.glob("chalicelib/**/*.py")):
        text = path.read_text(encoding="utf-8")
        if wanted := [module for module in left_out if re.search(rf"\b{module}\b", text)]:
            raise CannotBuild(f"{path.name} uses {wanted[0]}, which UNUSED leaves out of the zip")


def _trim_endpoints(workplace: Path) -> None:
    """botocore reads the endpoints of all services when it makes its first client: leave ours."""
    for path in workplace.glob("botocore/data/endpoints.json"):
        endpoints = json.loads(path.read_text(encoding="utf-8"))
        for partition in endpoints["partitions"]:
            services = partition["services"]
            partition["services"] = {name: services[name] for name in services if name in SERVICES}
        path.write_text(json.dumps(endpoints, separators=(",", ":")), encoding="utf-8")


def _compile(workplace: Path) -> None:
    """Bytecode that is never compared with its source: a zip's times would make it stale.

    Of the libraries nothing else is shipped, which halves them; of our own code the source too, so
    that a traceback shows its lines.
    """
    ours = [workplace / name for name in OURS]
    libraries = sorted(path for path in workplace.iterdir() if path not in ours)
    _compile_those(workplace, libraries, "-b")  # beside the source, where it is found without
    for path in libraries:
        for source in [path] if path.suffix == ".py" else sorted(path.rglob("*.py")):
            source.unlink()
    _compile_those(workplace, ours)


def _compile_those(workplace: Path, paths: list[Path], *options: str) -> None:
    """In a process of its own with fixed hashes, so that the same sources give the same bytes."""
    subprocess.run(
        [
            sys.executable, "-s", "-m", "compileall", "-q", "-j", "1", *options,
            "--invalidation-mode", "unchecked-hash",
            "-s", str(workplace), "-p", TASK_ROOT, *map(str, paths),
        ],
        check=True,
        env={"PATH": os.defpath, "PYTHONHASHSEED": "0"},
    )  # fmt: skip


def _pack(workplace: Path, out: Path) -> None:
    files = sorted(path for path in workplace.rglob("*") if path.is_file())
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(workplace).as_posix(), ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if path.suffix == ".so" else 0o644) << 16
            archive.writestr(entry, path.read_bytes())
