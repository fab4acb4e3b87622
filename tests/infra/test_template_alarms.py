"""The alarms on what our own code counts look at just what it writes."""

import ast
import json
import re
from pathlib import Path

from chalicelib.config import settings
from chalicelib.edge.observability import count
from chalicelib.payments.domain import Provider
from infra.template import alarms, resources

CHALICELIB = Path(__file__).resolve().parents[2] / "chalicelib"


def counted() -> dict[str, set[tuple[str, ...]]]:
    """What our code counts, and by which dimensions, read from its sources."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for path in CHALICELIB.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id == "count" and isinstance(node.args[0], ast.Constant):
                by = tuple(str(each.arg) for each in node.keywords)
                found.setdefault(str(node.args[0].value), set()).add(by)
    return found


def test_what_is_watched_is_counted_with_just_these_dimensions():
    found = counted()
    for event in alarms.EVENTS:
        wanted = (event.by[0],) if event.by else ()
        assert found[event.metric] == {wanted}, event.metric


def test_an_alarm_looks_where_the_metric_is_written(capsys):
    # Given what a stage writes when a callback is parked
    count("CallbackParked", provider=Provider.WALLET)
    line = json.loads(capsys.readouterr().out)
    (written,) = line["_aws"]["CloudWatchMetrics"]
    dimensions = {name: line[name] for name in written["Dimensions"][0]}
    # Then the stage's alarm sums up just that metric, among those of the other providers
    alarm = resources(settings().stage)["CallbackParkedAlarm"]["Properties"]
    watched = [each["MetricStat"]["Metric"] for each in alarm["Metrics"][1:]]
    assert {
        "Namespace": written["Namespace"],
        "MetricName": "CallbackParked",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    } in watched
    assert len(watched) == len(Provider)
    assert alarm["AlarmActions"] == [{"Ref": alarms.TOPIC}]


def test_the_sum_is_over_all_its_parts():
    for name, resource in resources("prod").items():
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]:
            total, *parts = resource["Properties"]["Metrics"]
            assert set(re.findall(r"m\d+", total["Expression"])) == {m["Id"] for m in parts}, name
