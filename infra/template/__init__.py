"""The AWS resources of one stage, as plain CloudFormation JSON: `resources(stage)`."""

from infra.template.stack import parameters, resources

__all__ = ["parameters", "resources"]
