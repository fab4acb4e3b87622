"""Logs: the request's id is in them, personal data is not."""

import io
import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from chalicelib.edge import observability
from chalicelib.edge.observability import log_failure, request_scope, scrubbed


@pytest.fixture
def lines(monkeypatch):
    """What was logged, as a function that reads it."""
    written = io.StringIO()
    handler = observability.logger.registered_handler
    monkeypatch.setattr(handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize(
    "private",
    [
        "amina.el@example.co.ma",
        "'said@example.ma'",
        "+212612345678",
        "06 12 34 56 78",
        "06-12-34-56-78",
        "230810211040700000000030",
        "5412 7512 3456 7890",
        "5412-7512-3456-7890",
    ],
)
def test_P15_addresses_and_numbers_of_persons_are_removed(private):
    said = scrubbed(f"row {private} is wrong")
    assert "[removed]" in said
    assert not any(part in said for part in private.strip("'").split("@")[:1])


@pytest.mark.parametrize(
    "harmless", ["order ord_a2b3c4", "24990 MAD", "line 12 of 300", "2030-06-14T19:00:00Z"[:10]]
)
def test_other_texts_stay(harmless):
    assert scrubbed(harmless) == harmless


def test_P15_a_failure_is_logged_by_kind_and_place_without_values(lines):
    def read_row(secret: str) -> None:
        raise ValueError(f"bad row of {secret}")

    try:
        read_row("amina@example.ma, RIB 230810211040700000000030")
    except ValueError as error:
        log_failure("unexpected failure", error, order_id="ord_1")
    (line,) = lines()
    assert line["error_type"] == "ValueError"
    assert line["order_id"] == "ord_1"
    assert any("read_row" in place for place in line["where"])
    assert "amina" not in json.dumps(line)
    assert "2308102" not in json.dumps(line)


class Row(BaseModel):
    name: Annotated[str, Field(max_length=3)]
    phone: int


def broken_row() -> None:
    Row.model_validate({"name": "Amina El Fassi", "phone": "rue de Fès 7"})


@pytest.mark.parametrize(
    "fail",
    [
        broken_row,
        lambda: int("Amina El Fassi"),
        lambda: {}["Amina El Fassi"],
        lambda: {}['Amina "El" Fassi, rue de l\'Oued'],
        lambda: json.loads('"Amina El Fassi'),
        lambda: datetime.fromisoformat("Amina El Fassi"),
        lambda: "Amina El Fassi\ud800".encode(),
        lambda: Decimal("Amina El Fassi"),
        lambda: {}["otk_a2b3c4d5e6f7"],
        lambda: {}["AB123456"],
    ],
)
def test_P15_what_an_exception_quotes_is_not_logged(lines, fail):
    with pytest.raises(Exception) as caught:  # noqa: PT011  any that quotes
        fail()
    log_failure("unexpected failure", caught.value)
    (line,) = lines()
    for private in ("Amina", "Fassi", "Oued", "rue", "otk_a2", "AB123456"):
        assert private not in json.dumps(line, ensure_ascii=False)


def test_what_names_the_fault_stays(lines):
    for error in (
        AttributeError("'NoneType' object has no attribute 'captured'"),
        KeyError("due_at"),
    ):
        log_failure("unexpected failure", error)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        broken_row()
    log_failure("unexpected failure", caught.value)
    said = [line["error"] for line in lines()]
    assert said == [
        "'NoneType' object has no attribute 'captured'", "'due_at'",
        "name: string_too_long; phone: int_parsing",
    ]  # fmt: skip


def test_P15_a_line_that_cannot_be_written_as_it_is_is_written_all_the_same(monkeypatch, capfd):
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(observability.logger.registered_handler, "stream", written)
    # Not to pytest's own report either, which could not be sent from one process to another.
    monkeypatch.setattr(observability.logger._logger, "propagate", False)
    observability.logger.error("4556737586899855 \ud800", row={(1, 2): 3, "a": {"b": {4, 5}}})
    written.seek(0)
    line = json.loads(written.read())
    assert line["message"] == "[removed] ?"
    assert "4556" not in json.dumps(line)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("between", ["", " ", "-", ".", "\u00a0", "\u202f", "\u2011"], ids=ascii)
def test_P15_telephones_and_account_numbers_are_removed_however_they_are_grouped(between):
    for digits in ("0612345678", "212612345678", "230810211040700000000030"):
        grouped = between.join(digits[start : start + 2] for start in range(0, len(digits), 2))
        for text in (grouped, ascii(grouped), json.dumps(grouped)):
            assert sum(map(str.isdecimal, scrubbed(f"row {text} is wrong"))) == 0


def test_lines_inside_a_request_carry_its_id_and_later_ones_do_not(lines):
    with request_scope("req-12345678"):
        observability.logger.error("inside")
        assert observability.request_id.get() == "req-12345678"
    observability.logger.error("after")
    inside, after = lines()
    assert inside["request_id"] == "req-12345678"
    assert "request_id" not in after


def test_a_metric_is_counted_in_our_namespace(capsys, monkeypatch):
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    observability.count("MessageBuried", queue="payments")
    line = json.loads(capsys.readouterr().out)
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Maalem"
    assert (line["queue"], line["MessageBuried"]) == ("payments", [1.0])
