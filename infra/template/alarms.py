"""The alarms: each says what is wrong in one sentence, and tells the operators' topic."""

import re
from dataclasses import dataclass
from typing import Any

from chalicelib.edge.observability import NAMESPACE, SERVICE
from chalicelib.payments.domain import Provider
from infra.template.names import logical, physical, ref
from infra.template.queues import STREAM_DEAD

TOPIC = "OperatorsTopic"
STREAM_DEAD_QUEUE = logical(STREAM_DEAD, "queue")
QUEUE_AGE_SECONDS = 15 * 60
ITERATOR_AGE_MS = 5 * 60 * 1000
PROVIDERS = tuple(provider.value for provider in Provider)
RUNBOOKS = "docs/runbooks"
"""A page for each kind of alarm: what it means, what to do, when it is over."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that our code counts and an operator must see: more than `allowed` a minute, in
    `minutes` of five. `by`: the dimension that it is counted by beside the stage, and its values.
    """

    metric: str
    sentence: str
    by: tuple[str, tuple[str, ...]] | None = ("provider", PROVIDERS)
    allowed: int = 0
    minutes: int = 1

    @property
    def page(self) -> str:
        """Its runbook: `callback-parked` of CallbackParked."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", self.metric).lower()


REVERSALS = ("kind", ("refund", "dispute"))
EVENTS = (
    Event("CallbackParked", "A callback fits nothing of ours: look at it, mend, apply it again."),
    Event("ForgedCallback", "Callbacks carry wrong signatures: a secret has changed, or an attack.",
          allowed=20),
    Event("PaymentUnknown", "A provider does not answer when asked about payments; they stay open.",
          allowed=10, minutes=3),
    Event("PaymentFlagged", "A payment is not as its provider says: review it."),
    Event("RefundUnknown", "A provider does not answer about refunds; they are asked about again.",
          allowed=5, minutes=3),
    Event("PayoutUnknown", "A rail does not answer about payouts; they stay reserved, and unknown.",
          by=("rail", ("wallet", "card")), allowed=5, minutes=3),
    Event("DisputeEvidenceOverdue", "Evidence was due and not sent: send it, or lose the dispute."),
    Event("ProviderAnswerUnread", "A provider's answers cannot be read: it has changed them.",
          minutes=3),
    Event("LedgerEntryMismatch", "The ledger was told two stories of one entry: compare them.",
          by=None),
    Event("LedgerCheckFailed", "The ledger does not hold: a balance, an entry or a sealed day.",
          by=None),
    Event("ReversalMismatch", "A refund or dispute came again with other portions.", by=REVERSALS),
    Event("ReversalContradicted", "A refund or dispute has ended in two ways.", by=REVERSALS),
    Event("UnappliedNotPosted", "Money of another currency came in, and is not in the ledger."),
    Event("NoticeUnfit", "A message to a person was not sent: nobody has words for it.", by=None),
)  # fmt: skip
"""Events that say by themselves what is to be done; the rest is for looking at."""


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
            "streams-dead" if queue_id == STREAM_DEAD_QUEUE else "dead-letters",
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
            "queue-age",
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
            "function-errors",
            "AWS/Lambda",
            "Errors",
            dimensions,
            EvaluationPeriods=5,
            DatapointsToAlarm=3,
        ),
        logical(function_id, "throttles", "alarm"): _alarm(
            f"{function_id}: invocations are throttled; look at the account's concurrency.",
            "function-throttles",
            "AWS/Lambda",
            "Throttles",
            dimensions,
        ),
    }


def iterator_age_alarm(function_id: str) -> dict[str, Any]:
    return {
        logical(function_id, "iterator-age", "alarm"): _alarm(
            f"{function_id}: the stream is more than 5 minutes behind; records expire after 24 h.",
            "stream-behind",
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
        "table-throttles",
        None,
        None,
        None,
    )
    dimensions = {"TableName": ref(table_id)}
    alarm["Properties"]["Metrics"] = _summed(
        [
            ("AWS/DynamoDB", "ReadThrottleEvents", dimensions),
            ("AWS/DynamoDB", "WriteThrottleEvents", dimensions),
        ]
    )
    return {logical(table_id, "throttles", "alarm"): alarm}


def event_alarms(stage: str) -> dict[str, Any]:
    """One alarm for each of EVENTS, over all providers."""
    return {logical(event.metric, "alarm"): _event_alarm(stage, event) for event in EVENTS}


def _event_alarm(stage: str, event: Event) -> dict[str, Any]:
    name, values = event.by or ("", ("",))
    alarm = _alarm(
        event.sentence,
        event.page,
        None,
        None,
        None,
        Threshold=event.allowed,
        EvaluationPeriods=1 if event.minutes == 1 else 5,
        DatapointsToAlarm=event.minutes,
    )
    common = {"service": SERVICE, "stage": stage}
    metrics = [
        (NAMESPACE, event.metric, common | ({name: value} if name else {})) for value in values
    ]
    alarm["Properties"]["Metrics"] = _summed(metrics)
    return alarm


def _summed(metrics: list[tuple[str, str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The sum a minute of (namespace, metric, dimensions); what was not counted is 0."""
    parts = " + ".join(f"FILL(m{position}, 0)" for position in range(len(metrics)))
    return [
        {"Id": "sum", "Expression": parts, "ReturnData": True},
        *(
            {
                "Id": f"m{position}",
                "ReturnData": False,
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": metric,
                        "Dimensions": _named(dimensions),
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
            for position, (namespace, metric, dimensions) in enumerate(metrics)
        ),
    ]


def _named(dimensions: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def api_alarms(stage: str, api_name: str) -> dict[str, Any]:
    dimensions = {"ApiName": api_name, "Stage": stage}
    return {
        "ApiServerErrorsAlarm": _alarm(
            "The API answers 5xx in three of five minutes; no input may ever cause one.",
            "api-errors",
            "AWS/ApiGateway",
            "5XXError",
            dimensions,
            EvaluationPeriods=5,
            DatapointsToAlarm=3,
        ),
        "ApiLatencyAlarm": _alarm(
            "One in a hundred answers takes longer than 3 seconds, for five minutes.",
            "api-latency",
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
    page: str,
    namespace: str | None,
    metric: str | None,
    dimensions: dict[str, Any] | None,
    **settings: Any,
) -> dict[str, Any]:
    """An alarm on "more than the threshold" per minute; no data means that all is well."""
    properties: dict[str, Any] = {
        "AlarmDescription": f"{sentence} {RUNBOOKS}/{page}.md",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [ref(TOPIC)],
        "OKActions": [ref(TOPIC)],
    }
    if metric:
        properties |= {"Namespace": namespace, "MetricName": metric, "Period": 60}
        properties["Dimensions"] = _named(dimensions or {})
        if "ExtendedStatistic" not in settings:
            properties["Statistic"] = "Sum"
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties | settings}
