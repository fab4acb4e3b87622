"""`chalice package`, then the build step: leaves `template.json` and `deployment.zip`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.build import archive, checks
from infra.build.errors import CannotBuild
from infra.build.transform import functions_of, transform
from infra.build.translate import REGION, translated
from infra.template import resources

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = (
    "app.py",
    "chalicelib",
    "requirements.txt",
    ".chalice/config.json",
    ".chalice/policy.json",
)
PASSED_ON = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "TMPDIR")
PASSED_ON_ENDINGS = ("_PROXY", "_CA_BUNDLE")
TEMPLATE = "template.json"
ZIP = "deployment.zip"


@dataclass(frozen=True, slots=True)
class Artefact:
    """What was built, and where it is."""

    stage: str
    out: Path
    template: dict[str, Any]
    translated: dict[str, Any]
    functions: tuple[str, ...]
    zip_bytes: int
    zip_sha256: str

    @property
    def template_file(self) -> Path:
        return self.out / TEMPLATE

    @property
    def zip_file(self) -> Path:
        return self.out / ZIP

    @property
    def unpacked(self) -> Path:
        return self.out / "unpacked"


def build(stage: str, out: Path, project: Path = PROJECT) -> Artefact:
    """Package one stage into `out`.

    Raises:
        CannotBuild: Chalice refuses the app, or the result breaks a promise of `checks`.
    """
    source = _copied_sources(project, out)
    packed = out / "chalice"
    for made in (packed, out / "unpacked"):
        shutil.rmtree(made, ignore_errors=True)
    for made in (out / TEMPLATE, out / ZIP):
        made.unlink(missing_ok=True)
    merge_file = out / "merge.json"
    _write_json(merge_file, {"Resources": resources(stage)})
    with _kept_wheels(project / "build" / "wheels", source / ".chalice" / "deployments"):
        _run_chalice(source, stage, merge_file, packed)
    template = json.loads((packed / "sam.json").read_text())
    sha256 = archive.rebuild(packed / "deployment.zip", out / "unpacked", out / ZIP)
    transform(template, stage, source, version=sha256[:12])
    result = translated(template)
    if broken := checks.findings(result):
        (out / ZIP).unlink()
        raise CannotBuild("; ".join(broken))
    _write_json(out / TEMPLATE, template)
    functions = tuple(functions_of(template))
    size = (out / ZIP).stat().st_size
    return Artefact(stage, out, template, result, functions, size, sha256)


def _copied_sources(project: Path, out: Path) -> Path:
    """A tree of its own, so that nothing but the app is packed."""
    source = out / "source"
    for name in SOURCES:
        origin, target = project / name, source / name
        if not origin.exists():
            raise CannotBuild(f"{name} is missing in {project.name}")
        if origin.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(origin, target, ignore=ignored)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)
    return source


@contextmanager
def _kept_wheels(kept: Path, used: Path) -> Iterator[None]:
    """What Chalice downloaded for these requirements, shared by all stages and builds."""
    if kept.exists():
        shutil.copytree(kept, used, ignore=shutil.ignore_patterns("tmp*"), dirs_exist_ok=True)
    yield
    kept.mkdir(parents=True, exist_ok=True)
    for path in used.glob("*.zip"):
        with tempfile.NamedTemporaryFile(dir=kept, delete=False) as file:
            file.write(path.read_bytes())
        os.replace(file.name, kept / path.name)


def _run_chalice(source: Path, stage: str, merge_file: Path, packed: Path) -> None:
    """Chalice in a clean environment: it imports the app with local settings and calls no AWS."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.upper().endswith(PASSED_ON_ENDINGS) or name.startswith("PIP_")
    }
    done = subprocess.run(
        [
            sys.executable, "-m", "infra.build.chalice_package",
            str(source.resolve()), stage, str(merge_file.resolve()), str(packed.resolve()),
        ],
        cwd=source,
        env=environment | {"PYTHONPATH": str(PROJECT), "AWS_DEFAULT_REGION": REGION},
        capture_output=True,
        text=True,
    )  # fmt: skip
    if done.returncode:
        log = source.parent / "chalice.log"
        log.write_text(done.stdout + done.stderr, encoding="utf-8")
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise CannotBuild(f"chalice package refused the app ({log}): {reason}")


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
