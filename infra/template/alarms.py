"""The alarms: each says what is wrong in one sentence, and tells the operators' topic."""

from typing import Any

from infra.template.names import logical, physical, ref

TOPIC = "OperatorsTopic"
QUEUE_AGE_SECONDS = 15 * 60
ITERATOR_AGE_MS = 5 * 60 * 1000


def topic_resources(stage: str) -> dict[str, Any]:
    return {
        TOPIC: {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": physical(stage, "operators")},
        }
    }


def dead_queue_alarm(queue_id: str) -> dict[str, Any]:
    return {
        logical(queue_id, "not-empty", "alarm"): _alarm(
            f"{queue_id}: messages were given up on; read their reason, mend, and redrive.",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": {"Fn::GetAtt": [queue_id, "QueueName"]}},
            Statistic="Maximum",
        )
    }


def queue_age_alarm(queue_id: str) -> dict[str, Any]:
    return {
        logical(queue_id, "age", "alarm"): _alarm(
            f"{queue_id}: the oldest message waits longer than 15 minutes; consumers fall behind.",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            {"QueueName": {"Fn::GetAtt": [queue_id, "QueueName"]}},
            Statistic="Maximum",
            Threshold=QUEUE_AGE_SECONDS,
        )
    }


def function_alarms(function_id: str) -> dict[str, Any]:
    dimensions = {"FunctionName": ref(function_id)}
    return {
        logical(function_id, "errors", "alarm"): _alarm(
            f"{function_id}: invocations fail in three of five minutes; look at its log group.",
            "AWS/Lambda",
            "Errors",
            dimensions,
            EvaluationPeriods=5,
            DatapointsToAlarm=3,
        ),
        logical(function_id, "throttles", "alarm"): _alarm(
            f"{function_id}: invocations are throttled; look at the account's concurrency.",
            "AWS/Lambda",
            "Throttles",
            dimensions,
        ),
    }


def iterator_age_alarm(function_id: str) -> dict[str, Any]:
    return {
        logical(function_id, "iterator-age", "alarm"): _alarm(
            f"{function_id}: the stream is more than 5 minutes behind; records expire after 24 h.",
            "AWS/Lambda",
            "IteratorAge",
            {"FunctionName": ref(function_id)},
            Statistic="Maximum",
            Threshold=ITERATOR_AGE_MS,
        )
    }


def table_alarm(table_id: str) -> dict[str, Any]:
    """Sums reads and writes that DynamoDB throttled; indexes report under the table's name too."""
    alarm = _alarm(
        f"{table_id}: DynamoDB throttles; look for a hot key before anything else.",
        None,
        None,
        None,
    )
    properties = alarm["Properties"]
    events = ("ReadThrottleEvents", "WriteThrottleEvents")
    properties["Metrics"] = [
        {"Id": "sum", "Expression": "FILL(m0, 0) + FILL(m1, 0)", "ReturnData": True},
        *(
            {
                "Id": f"m{position}",
                "ReturnData": False,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/DynamoDB",
                        "MetricName": event,
                        "Dimensions": [{"Name": "TableName", "Value": ref(table_id)}],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
            for position, event in enumerate(events)
        ),
    ]
    return {logical(table_id, "throttles", "alarm"): alarm}


def api_alarms(stage: str, api_name: str) -> dict[str, Any]:
    dimensions = {"ApiName": api_name, "Stage": stage}
    return {
        "ApiServerErrorsAlarm": _alarm(
            "The API answers 5xx in three of five minutes; no input may ever cause one.",
            "AWS/ApiGateway",
            "5XXError",
            dimensions,
            EvaluationPeriods=5,
            DatapointsToAlarm=3,
        ),
        "ApiLatencyAlarm": _alarm(
            "One in a hundred answers takes longer than 3 seconds, for five minutes.",
            "AWS/ApiGateway",
            "Latency",
            dimensions,
            ExtendedStatistic="p99",
            Threshold=3000,
            EvaluationPeriods=5,
        ),
    }


def _alarm(
    sentence: str,
    namespace: str | None,
    metric: str | None,
    dimensions: dict[str, Any] | None,
    **settings: Any,
) -> dict[str, Any]:
    """An alarm on "more than the threshold" per minute; no data means that all is well."""
    properties: dict[str, Any] = {
        "AlarmDescription": sentence,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [ref(TOPIC)],
        "OKActions": [ref(TOPIC)],
    }
    if metric:
        properties |= {"Namespace": namespace, "MetricName": metric, "Period": 60}
        properties["Dimensions"] = [
            {"Name": name, "Value": value} for name, value in (dimensions or {}).items()
        ]
        if "ExtendedStatistic" not in settings:
            properties["Statistic"] = "Sum"
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties | settings}
