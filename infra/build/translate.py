"""SAM's translation to plain CloudFormation, offline: what AWS will really be asked to make."""

import copy
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGION = "eu-west-3"


class _NoManagedPolicies:
    """Our roles name no managed policy, so SAM never needs to ask IAM for their ARNs."""

    def load(self) -> dict[str, str]:
        return {}


class _Session:
    region_name = REGION


def translated(template: dict[str, Any]) -> dict[str, Any]:
    """The template as CloudFormation sees it after the transform; the given one is not changed."""
    parser = Parser()
    translator = Translator(_NoManagedPolicies().load(), parser, boto_session=_Session())
    document = copy.deepcopy(template)
    for resource in document["Resources"].values():
        # `aws cloudformation package` and our own deploy put an S3 address here.
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "artefacts", "Key": "deployment.zip"}
    result: dict[str, Any] = translator.translate(document, {})
    return result
