"""Runs `chalice package` on a copied source tree; a process of its own, since it imports the app.

python -m infra.build.chalice_package PROJECT STAGE MERGE_FILE OUT
"""

import sys
from typing import Any

from chalice.cli.factory import CLIFactory
from chalice.deploy import validate


def main(project: str, stage: str, merge_file: str, out: str) -> None:
    factory = CLIFactory(project, environ={})
    config = factory.create_config_obj(stage)
    _validate(config)
    packager = factory.create_app_packager(
        config, factory.create_package_options(), "cloudformation", "json", merge_file
    )
    packager.package_app(config, out, stage)


def _validate(config: Any) -> None:
    """What `chalice deploy` checks and `chalice package` leaves out.

    All but queue names: that check takes an ARN for a text, and ours are references.
    """
    app = config.chalice_app
    validate.validate_routes(app.routes)
    validate.validate_route_content_types(app.routes, app.api.binary_types)
    validate.validate_minimum_compression_size(config)
    validate.validate_unique_function_names(config)
    validate.validate_feature_flags(app)
    validate.validate_endpoint_type(config)
    validate.validate_lambda_architecture(config)
    validate.validate_environment_variables_type(config)


if __name__ == "__main__":
    main(*sys.argv[1:])
