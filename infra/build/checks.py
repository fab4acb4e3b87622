"""What a translated template must keep to. The build refuses to leave one that does not."""

from collections.abc import Callable, Iterator
from typing import Any

from chalicelib.edge import turns
from infra.build.gateway import ALIAS, INTEGRATION

Template = dict[str, Any]
REPORTS = ["ReportBatchItemFailures"]


def findings(template: Template) -> list[str]:
    """Every broken promise, in a sentence each; empty when all is well."""
    return [sentence for check in CHECKS for sentence in check(template)]


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Properties by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def mappings_report_partial_failures(template: Template) -> Iterator[str]:
    functions = of_type(template, "AWS::Lambda::Function")
    for name, mapping in of_type(template, "AWS::Lambda::EventSourceMapping").items():
        function = functions[mapping["FunctionName"]["Ref"]]
        if mapping.get("FunctionResponseTypes") != REPORTS:
            yield f"{name} does not report partial failures"
        if function["Environment"]["Variables"].get("MAALEM_PARTIAL_BATCH") != "1":
            yield f"{name}'s function is not told that partial failures are reported"


def streams_give_up_safely(template: Template) -> Iterator[str]:
    for name, mapping in of_type(template, "AWS::Lambda::EventSourceMapping").items():
        if "StartingPosition" not in mapping:
            continue
        if mapping["StartingPosition"] != "TRIM_HORIZON":
            yield f"{name} starts behind what is already in the stream"
        if not mapping.get("BisectBatchOnFunctionError"):
            yield f"{name} does not bisect a failing batch"
        if not 0 < mapping.get("MaximumRetryAttempts", -1) <= 100:
            yield f"{name} retries a poisonous record for a day"
        if not mapping.get("DestinationConfig", {}).get("OnFailure"):
            yield f"{name} drops what it gives up on"


def queues_have_a_dead_letter_queue(template: Template) -> Iterator[str]:
    queues = of_type(template, "AWS::SQS::Queue")
    for name, queue in queues.items():
        if _is_dead(name):
            continue
        target = queue.get("RedrivePolicy", {}).get("deadLetterTargetArn", {})
        if target.get("Fn::GetAtt", [""])[0] not in queues:
            yield f"{name} has no dead-letter queue"


def queues_have_an_alarm(template: Template) -> Iterator[str]:
    watched = {
        (dimension["Value"]["Fn::GetAtt"][0], alarm["MetricName"])
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] == "QueueName" and alarm.get("AlarmActions")
    }
    for name in of_type(template, "AWS::SQS::Queue"):
        metric = (
            "ApproximateNumberOfMessagesVisible"
            if _is_dead(name)
            else "ApproximateAgeOfOldestMessage"
        )
        if (name, metric) not in watched:
            yield f"{name} has no alarm"


def visibility_is_six_timeouts(template: Template) -> Iterator[str]:
    functions = of_type(template, "AWS::Lambda::Function")
    queues = of_type(template, "AWS::SQS::Queue")
    for name, mapping in of_type(template, "AWS::Lambda::EventSourceMapping").items():
        source = mapping["EventSourceArn"].get("Fn::GetAtt", [""])[0]
        if source not in queues:
            continue
        timeout = functions[mapping["FunctionName"]["Ref"]]["Timeout"]
        if queues[source].get("VisibilityTimeout", 30) < 6 * timeout:
            yield f"{name}: the queue's visibility is under six times {timeout} s"


def sweeps_have_time_to_stop(template: Template) -> Iterator[str]:
    needed = turns.TAKING_SECONDS + turns.LONGEST_STEP_SECONDS
    functions = of_type(template, "AWS::Lambda::Function")
    for rule in of_type(template, "AWS::Events::Rule").values():
        for target in rule["Targets"]:
            name = target["Arn"]["Fn::GetAtt"][0]
            if functions[name]["Timeout"] < needed:
                yield f"{name} is cut off before the {needed} s that its last step may need"


def policies_name_their_resources(template: Template) -> Iterator[str]:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if "*" in _as_list(statement["Resource"]):
                    yield f"{name} may {statement['Action']} on everything"
                if any("*" in action for action in _as_list(statement["Action"])):
                    yield f"{name} may do everything of a service: {statement['Action']}"
        if role.get("ManagedPolicyArns"):
            yield f"{name} has a managed policy; those name no resource"
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for name in of_type(template, kind):
            yield f"{name}: policies stand in their function's role"


def functions_have_a_role_each(template: Template) -> Iterator[str]:
    taken: dict[str, str] = {}
    roles = of_type(template, "AWS::IAM::Role")
    for name, function in of_type(template, "AWS::Lambda::Function").items():
        role = function["Role"].get("Fn::GetAtt", [""])[0]
        if role not in roles:
            yield f"{name} has no role of its own"
        elif role in taken:
            yield f"{name} shares its role with {taken[role]}"
        taken[role] = name


def integrations_call_the_alias(template: Template) -> Iterator[str]:
    aliases = of_type(template, "AWS::Lambda::Alias")
    for api in of_type(template, "AWS::ApiGateway::RestApi").values():
        for path, methods in api["Body"]["paths"].items():
            for method, declared in methods.items():
                integration = declared.get(INTEGRATION, {})
                if integration.get("type") == "mock":
                    continue
                target = integration.get("uri", {}).get("Fn::Sub", "")
                if not any(f"functions/${{{alias}}}/" in target for alias in aliases):
                    yield f"{method.upper()} {path} does not call the alias"
    for name, permission in of_type(template, "AWS::Lambda::Permission").items():
        if permission["Principal"] == "apigateway.amazonaws.com" and (
            permission["FunctionName"].get("Ref") not in aliases
        ):
            yield f"{name} does not allow the API to call the alias {ALIAS}"


def logs_are_kept_for_a_while(template: Template) -> Iterator[str]:
    groups = of_type(template, "AWS::Logs::LogGroup")
    for name, group in groups.items():
        if not group.get("RetentionInDays"):
            yield f"{name} keeps its logs for ever"
    for name, function in of_type(template, "AWS::Lambda::Function").items():
        if function.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref") not in groups:
            yield f"{name} makes a log group of its own, which keeps its logs for ever"


def data_outlives_the_stack(template: Template) -> Iterator[str]:
    lasting = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool")
    for name, resource in template["Resources"].items():
        if resource["Type"] in lasting and resource.get("DeletionPolicy") != "Retain":
            yield f"{name} would be deleted with the stack"
    for name, table in of_type(template, "AWS::DynamoDB::Table").items():
        recovery = table.get("PointInTimeRecoverySpecification", {})
        if not recovery.get("PointInTimeRecoveryEnabled"):
            yield f"{name} cannot be brought back to a point in time"


CHECKS: tuple[Callable[[Template], Iterator[str]], ...] = (
    mappings_report_partial_failures,
    streams_give_up_safely,
    queues_have_a_dead_letter_queue,
    queues_have_an_alarm,
    visibility_is_six_timeouts,
    sweeps_have_time_to_stop,
    policies_name_their_resources,
    functions_have_a_role_each,
    integrations_call_the_alias,
    logs_are_kept_for_a_while,
    data_outlives_the_stack,
)


def _is_dead(queue_id: str) -> bool:
    return queue_id.endswith("DeadQueue")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
