"""The build's checks of the template see each defect that is planted into it."""

import copy
import re

import pytest

from infra.build import checks, gateway

pytestmark = [pytest.mark.artefact, pytest.mark.xdist_group("artefact")]


def first(template, kind, having=None):
    """The properties of the first resource of a kind, to be spoiled."""
    for properties in checks.of_type(template, kind).values():
        if having is None or having in properties:
            return properties
    raise AssertionError(f"the template has no {kind}")


def without_partial_failures(template):
    del first(template, "AWS::Lambda::EventSourceMapping", "ScalingConfig")["FunctionResponseTypes"]


def without_partial_failures_of_a_stream(template):
    mapping = first(template, "AWS::Lambda::EventSourceMapping", "StartingPosition")
    del mapping["FunctionResponseTypes"]


def without_being_told(template):
    mapping = first(template, "AWS::Lambda::EventSourceMapping")
    function = template["Resources"][mapping["FunctionName"]["Ref"]]["Properties"]
    del function["Environment"]["Variables"]["MAALEM_PARTIAL_BATCH"]


def starting_late(template):
    first(template, "AWS::Lambda::EventSourceMapping", "StartingPosition").update(
        StartingPosition="LATEST"
    )


def dropping_what_fails(template):
    del first(template, "AWS::Lambda::EventSourceMapping", "StartingPosition")["DestinationConfig"]


def retrying_for_a_day(template):
    del first(template, "AWS::Lambda::EventSourceMapping", "StartingPosition")[
        "MaximumRetryAttempts"
    ]


def without_dead_letters(template):
    del first(template, "AWS::SQS::Queue", "RedrivePolicy")["RedrivePolicy"]


def without_an_alarm(template):
    del template["Resources"]["SettlementDeadQueueNotEmptyAlarm"]


def with_a_silent_alarm(template):
    del template["Resources"]["SettlementQueueAgeAlarm"]["Properties"]["AlarmActions"]


def short_visibility(template):
    template["Resources"]["SettlementQueue"]["Properties"]["VisibilityTimeout"] = 149


def a_short_sweep(template):
    template["Resources"]["SweepRefunds"]["Properties"]["Timeout"] = 25


def a_policy_for_everything(template):
    role = first(template, "AWS::IAM::Role")
    role["Policies"][0]["PolicyDocument"]["Statement"][-1]["Resource"] = "*"


def a_policy_of_every_action(template):
    role = first(template, "AWS::IAM::Role")
    role["Policies"][0]["PolicyDocument"]["Statement"][-1]["Action"] = ["dynamodb:*"]


def a_managed_policy(template):
    first(template, "AWS::IAM::Role")["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/Any"]


def a_shared_role(template):
    one, other = list(checks.of_type(template, "AWS::Lambda::Function").values())[:2]
    one["Role"] = other["Role"]


def calling_latest(template):
    body = first(template, "AWS::ApiGateway::RestApi")["Body"]
    method = next(iter(next(iter(body["paths"].values())).values()))
    uri = method[gateway.INTEGRATION]["uri"]
    uri["Fn::Sub"] = re.sub(r"functions/\$\{\w+\}", "functions/${APIHandler.Arn}", uri["Fn::Sub"])


def permission_for_latest(template):
    permission = template["Resources"][gateway.PERMISSION]["Properties"]
    permission["FunctionName"] = {"Ref": "APIHandler"}


def logs_for_ever(template):
    del first(template, "AWS::Logs::LogGroup")["RetentionInDays"]


def logs_elsewhere(template):
    del first(template, "AWS::Lambda::Function")["LoggingConfig"]


def tables_that_go_with_the_stack(template):
    del template["Resources"]["AuditTable"]["DeletionPolicy"]


def tables_without_recovery(template):
    del template["Resources"]["AuditTable"]["Properties"]["PointInTimeRecoverySpecification"]


DEFECTS = [
    (without_partial_failures, "does not report partial failures"),
    (without_partial_failures_of_a_stream, "does not report partial failures"),
    (without_being_told, "is not told that partial failures"),
    (starting_late, "starts behind"),
    (dropping_what_fails, "drops what it gives up on"),
    (retrying_for_a_day, "retries a poisonous record"),
    (without_dead_letters, "has no dead-letter queue"),
    (without_an_alarm, "SettlementDeadQueue has no alarm"),
    (with_a_silent_alarm, "SettlementQueue has no alarm"),
    (short_visibility, "under six times 25 s"),
    (a_short_sweep, "SweepRefunds is cut off"),
    (a_policy_for_everything, "on everything"),
    (a_policy_of_every_action, "everything of a service"),
    (a_managed_policy, "managed policy"),
    (a_shared_role, "shares its role"),
    (calling_latest, "does not call the alias"),
    (permission_for_latest, "does not allow the API to call the alias"),
    (logs_for_ever, "for ever"),
    (logs_elsewhere, "log group of its own"),
    (tables_that_go_with_the_stack, "deleted with the stack"),
    (tables_without_recovery, "point in time"),
]


@pytest.mark.parametrize(
    ("spoil", "sentence"), DEFECTS, ids=[spoil.__name__ for spoil, _ in DEFECTS]
)
def test_the_checks_see_it(template, spoil, sentence):
    spoiled = copy.deepcopy(template)
    spoil(spoiled)
    assert any(sentence in finding for finding in checks.findings(spoiled))


def test_every_check_has_a_defect_that_it_alone_sees(template):
    seeing = set()
    for spoil, _ in DEFECTS:
        spoiled = copy.deepcopy(template)
        spoil(spoiled)
        seeing |= {check for check in checks.CHECKS if any(check(spoiled))}
    assert seeing == set(checks.CHECKS)
