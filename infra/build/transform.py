"""What `chalice package` cannot say, said on its template. Functions are found, never listed."""

from pathlib import Path
from typing import Any

from chalicelib.edge import turns
from infra.build import gateway
from infra.build.errors import CannotBuild
from infra.template import alarms, policies, stack
from infra.template.names import logical, physical, prefix
from infra.template.queues import STREAM_DEAD

FUNCTION = "AWS::Serverless::Function"
BATCHED = ("SQS", "DynamoDB")
LOG_RETENTION_DAYS = {"prod": 180}
DEFAULT_LOG_RETENTION_DAYS = 30
QUEUE_CONCURRENCY = 50
"""A backlog may not take the concurrency that requests need."""

SWEEP_SECONDS = 300
"""Nobody waits for a sweep, and it begins nothing after `turns.TAKING_SECONDS`."""

CALLING_SECONDS = turns.TAKING_SECONDS + turns.LONGEST_STEP_SECONDS + 5
"""For a queue's consumer whose messages have providers called."""

STREAM_RETRIES = 25
"""About as long as an outage is survived before a record goes to the dead-letter queue; sweeps
find what it was about. Bisecting keeps the records beside it moving."""


def transform(template: dict[str, Any], stage: str, source_root: Path, version: str) -> None:
    """Change the packaged template in place.

    Args:
        source_root: where the handlers' modules are; their imports decide the policies.
        version: shown by `/v1/health`; a new one publishes a new version behind the alias.

    Raises:
        CannotBuild: a function shares its role, or a mapping does not name its queue or table.
    """
    resources = template["Resources"]
    template["Parameters"] = stack.parameters()
    functions = functions_of(template)
    for name in functions:
        _finish_function(resources, name, stage, source_root, version)
    if gateway.API in resources:
        gateway.put_alias_in_front(resources)
        gateway.describe_api(resources, physical(stage, "api"))
        api_stage = resources[gateway.API]["Properties"]["StageName"]
        resources |= alarms.api_alarms(api_stage, physical(stage, "api"))


def functions_of(template: dict[str, Any]) -> list[str]:
    return [
        name for name, resource in template["Resources"].items() if resource["Type"] == FUNCTION
    ]


def _finish_function(
    resources: dict[str, Any], name: str, stage: str, source_root: Path, version: str
) -> None:
    properties = resources[name]["Properties"]
    events = properties.get("Events", {})
    variables = properties.setdefault("Environment", {}).setdefault("Variables", {})
    variables |= stack.environment(stage) | {"MAALEM_VERSION": version}
    for event in events.values():
        _finish_event(name, event, properties)
    log_group = logical(name, "log", "group")
    _drop_log_groups_of(resources, name)
    resources[log_group] = _log_group(stage, name)
    properties["LoggingConfig"] = {"LogGroup": {"Ref": log_group}}
    use = policies.use_of(source_root, properties["Handler"])
    _give_time(properties, events, use)
    resources[_role_of(resources, name)]["Properties"]["Policies"] = [
        {
            "PolicyName": f"{name}Policy",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": policies.statements(use, log_group, events),
            },
        }
    ]
    resources |= alarms.function_alarms(name)
    if any(event["Type"] == "DynamoDB" for event in events.values()):
        resources |= alarms.iterator_age_alarm(name)


def _finish_event(function: str, event: dict[str, Any], properties: dict[str, Any]) -> None:
    """Set what a trigger needs; only what reports partial failures is told that it may."""
    settings = event["Properties"]
    if event["Type"] in BATCHED:
        source = settings.get("Queue" if event["Type"] == "SQS" else "Stream")
        if not (isinstance(source, dict) and "Fn::GetAtt" in source):
            raise CannotBuild(f"{function} must name its source by Fn::GetAtt, not {source}")
        settings["FunctionResponseTypes"] = ["ReportBatchItemFailures"]
        properties["Environment"]["Variables"]["MAALEM_PARTIAL_BATCH"] = "1"
    if event["Type"] == "SQS":
        settings["ScalingConfig"] = {"MaximumConcurrency": QUEUE_CONCURRENCY}
    elif event["Type"] == "DynamoDB":
        settings |= {
            "StartingPosition": "TRIM_HORIZON",
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": STREAM_RETRIES,
            "DestinationConfig": {
                "OnFailure": {
                    "Type": "SQS",
                    "Destination": {"Fn::GetAtt": [logical(STREAM_DEAD, "queue"), "Arn"]},
                }
            },
        }
    elif settings.get("Schedule") == "rate(1 minute)":
        # The next minute's run does what this one missed.
        properties["EventInvokeConfig"] = {
            "MaximumRetryAttempts": 0,
            "MaximumEventAgeInSeconds": 60,
        }


def _give_time(properties: dict[str, Any], events: dict[str, Any], use: policies.Use) -> None:
    """What answers the gateway, or calls nobody, keeps the time that all functions have."""
    kinds = {event["Type"] for event in events.values()}
    if "Schedule" in kinds:
        properties["Timeout"] = SWEEP_SECONDS
    elif "SQS" in kinds and use.calls_out:
        properties["Timeout"] = CALLING_SECONDS


def _role_of(resources: dict[str, Any], name: str) -> str:
    role: str = resources[name]["Properties"]["Role"]["Fn::GetAtt"][0]
    sharing = [
        other
        for other, resource in resources.items()
        if resource["Type"] == FUNCTION
        and resource["Properties"]["Role"] == {"Fn::GetAtt": [role, "Arn"]}
    ]
    if sharing != [name]:
        raise CannotBuild(f"{', '.join(sharing)} share the role {role}; each needs its own")
    return role


def _drop_log_groups_of(resources: dict[str, Any], name: str) -> None:
    """Chalice's log group waits for its function, so the function's role could not name it."""
    chalice_made = ("ApiHandlerLogGroup",) if name == gateway.HANDLER else ()
    for group in (logical(name, "log", "group"), *chalice_made):
        resources.pop(group, None)


def _log_group(stage: str, name: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {
            "LogGroupName": f"/{prefix(stage).rstrip('-').replace('-', '/')}/{name}",
            "RetentionInDays": LOG_RETENTION_DAYS.get(stage, DEFAULT_LOG_RETENTION_DAYS),
        },
    }
