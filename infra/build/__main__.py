"""Builds and deploys.

python -m infra.build [package] --stage prod --out build/prod
python -m infra.build deploy --stage prod --bucket my-artefacts
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.build.deploy import Order, deploy, parameter_values
from infra.build.errors import CannotBuild, CannotDeploy
from infra.build.package import PROJECT, Artefact, build
from infra.template.names import STAGES

console = Console()


def main(arguments: list[str]) -> int:
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "deploy":
            parameter_values(asked.stage)  # Before the build: it is the likeliest to be refused.
        artefact = build(asked.stage, Path(asked.out or PROJECT / "build" / asked.stage))
        console.print(_summary(artefact))
        if asked.command == "deploy":
            order = Order(asked.bucket, asked.region, asked.secrets_revision, asked.dry_run)
            for line in deploy(artefact, order):
                console.print(line, highlight=False)
    except (CannotBuild, CannotDeploy) as error:
        console.print(str(error), highlight=False, markup=False, style="red")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.build")
    say = parser.add_argument
    say("command", nargs="?", choices=["package", "deploy"], default="package")
    say("--stage", choices=[stage for stage in STAGES if stage != "local"], required=True)
    say("--out", help="default: build/STAGE")
    say("--bucket", default="", help="deploy: where the zip is uploaded to")
    say("--region", default="eu-west-3", help="deploy: eu-west-3 unless said otherwise")
    say("--secrets-revision", default="1", help="deploy: a new text makes functions read secrets")
    say("--dry-run", action="store_true", help="deploy: stop before anything is changed")
    return parser


def _summary(artefact: Artefact) -> Table:
    table = Table("what", "is", title=f"Maalem, stage {artefact.stage}")
    table.add_row("template", f"{artefact.template_file}")
    table.add_row("zip", f"{artefact.zip_file}")
    table.add_row("zip size", f"{artefact.zip_bytes / 1024 / 1024:.2f} MB")
    table.add_row("zip SHA-256", artefact.zip_sha256)
    table.add_row("functions", str(len(artefact.functions)))
    table.add_row("resources", str(len(artefact.translated["Resources"])))
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
