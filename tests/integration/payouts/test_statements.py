"""An artisan's month: what was theirs, what changed it, what was theirs then; JSON, CSV and PDF."""

import csv
import io
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.artisans import service as artisans
from chalicelib.edge.auth import artisan_id_of
from chalicelib.payouts import statements
from chalicelib.settlement import service
from chalicelib.settlement.reversals import Stage
from chalicelib.settlement.statements import UnknownMonth
from infra.local.identity import ARTISAN_SUBJECT
from tests.aws import Api
from tests.factories.artisans import a_profile
from tests.factories.settlement import (
    a_dispute,
    a_payment_id,
    a_portion,
    a_refund,
    a_sale,
    release,
    terms,
)

ME = artisan_id_of(ARTISAN_SUBJECT)
PATH = "/v1/me/statements"


def read(api: Api, month: str, query: str = "", **headers: str) -> Any:
    return api.get(f"{PATH}/{month}{query}", token=api.artisan, headers=headers)


def this_month() -> str:
    return clock.in_morocco(clock.now()).strftime("%Y-%m")


def next_month() -> None:
    now = clock.now()
    first = statements.span_of(this_month(), now)[1]
    clock.advance((first - now).total_seconds() + 3600)


def minor(money: Any) -> int:
    assert money["currency"] == "MAD"
    return int(money["amount_minor"])


@pytest.fixture
def sold(api: Api) -> str:
    """One sale released, one refunded in part, one disputed, in a month of its own."""
    artisans.register(ME, a_profile(), None)
    next_month()
    first = a_sale(terms("prc_a", ME))
    second = a_sale(terms("prc_b", ME), terms("prc_c", "art_other"), payment_id=a_payment_id("two"))
    for sale in (first, second):
        service.settle_payment(sale)
    part = a_portion(10_000, parcel="prc_b")
    service.record_refund(a_refund(second, part), Stage.TAKEN)
    service.record_dispute(a_dispute(first), Stage.TAKEN)
    return this_month()


def test_opening_and_lines_add_up_to_closing_and_to_the_balances(api: Api, sold: str) -> None:
    found = read(api, sold).json
    assert minor(found["opening"]) == 0
    changes = [minor(line["amount"]) for line in found["lines"]]
    after = [minor(line["balance"]) for line in found["lines"]]
    assert [0 + sum(changes[: n + 1]) for n in range(len(changes))] == after
    assert after[-1] == minor(found["closing"])
    balances = {name: minor(money) for name, money in found["balances"].items()}
    assert minor(found["closing"]) == (
        balances["pending"] + balances["payable"] + balances["held"] - balances["owed"]
    )
    now = api.get("/v1/me/balance", token=api.artisan).json
    assert balances == {name: minor(now[name]) for name in balances}


def test_a_sale_says_what_was_paid_and_what_was_kept_of_it(api: Api, sold: str) -> None:
    lines = [line for line in read(api, sold).json["lines"] if line["reason"] == "sale"]
    assert len(lines) == 2
    for line in lines:
        whole = {name: minor(money) for name, money in line["sold"].items()}
        assert whole["paid"] == 24_990
        kept = whole["commission"] + whole["vat"] + whole["fee"]
        assert minor(line["amount"]) == whole["paid"] - kept
        assert whole["commission"] + whole["vat"] == 2_499


def test_what_only_moves_between_balances_is_no_line(api: Api) -> None:
    artisans.register(ME, a_profile(), None)
    artisans.verify(ME)
    sale = a_sale(terms("prc_a", ME))
    service.settle_payment(sale)
    month = this_month()
    release(sale)
    reasons = [
        line["reason"] for each in {month, this_month()} for line in read(api, each).json["lines"]
    ]
    assert reasons == ["sale"]


def test_a_month_that_has_ended_reads_the_same_whatever_comes_later(api: Api, sold: str) -> None:
    before = read(api, sold).json
    next_month()
    assert minor(read(api, this_month()).json["opening"]) == minor(before["closing"])
    service.settle_payment(a_sale(terms("prc_d", ME), payment_id=a_payment_id("four")))
    assert read(api, sold).json == before
    now = read(api, this_month()).json
    assert minor(now["opening"]) == minor(before["closing"])
    assert [line["reason"] for line in now["lines"]] == ["sale"]


def test_another_artisan_s_money_is_not_in_it(api: Api, sold: str) -> None:
    other = api.token("another-artisan", "artisans")
    found = api.get(f"{PATH}/{sold}", token=other).json
    assert (found["lines"], minor(found["closing"])) == ([], 0)


@pytest.mark.parametrize(("language", "delimiter", "point"), [("fr", ";", ","), ("en", ",", ".")])
def test_the_csv_has_each_line_and_spreadsheets_can_read_it(
    api: Api, sold: str, language: str, delimiter: str, point: str
) -> None:
    answered = read(api, sold, "?format=csv", **{"Accept-Language": language})
    assert answered.headers["content-type"] == "text/csv; charset=utf-8"
    assert answered.headers["content-disposition"] == f'attachment; filename="maalem-{sold}.csv"'
    assert answered.body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answered.body.decode("utf-8-sig")), delimiter=delimiter))
    found = read(api, sold).json
    assert len(rows) == 1 + 1 + len(found["lines"]) + 1
    assert {len(row) for row in rows} == {9}
    amounts = [int(row[7].replace(point, "")) for row in rows[2:-1]]
    assert amounts == [minor(line["amount"]) for line in found["lines"]]
    assert int(rows[-1][8].replace(point, "")) == minor(found["closing"])
    assert [row[2] for row in rows[2:-1]] == [line["reference"] for line in found["lines"]]


@pytest.mark.parametrize("language", ["ar", "fr", "en", "zgh"])
def test_the_pdf_is_a_file_in_each_language(api: Api, sold: str, language: str) -> None:
    headers = {"Accept": "application/pdf", "Accept-Language": language}
    answered = read(api, sold, "?format=pdf", **headers)
    assert (answered.status, answered.headers["content-type"]) == (200, "application/pdf")
    assert answered.body.startswith(b"%PDF-")
    assert answered.body == read(api, sold, "?format=pdf", **headers).body
    assert f"/Lang ({language})".encode() in answered.body


def test_who_cannot_take_a_pdf_is_told_so(api: Api, sold: str) -> None:
    answered = read(api, sold, "?format=pdf", Accept="application/json")
    assert (answered.status, answered.json["code"]) == (400, "not_acceptable")


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "2099-01", "2001-01", "now", "2026-00"])
def test_a_month_that_there_is_not_is_refused(api: Api, month: str) -> None:
    answered = read(api, month)
    assert (answered.status, answered.json["code"]) == (422, "unknown_month")


def test_months_begin_at_midnight_in_morocco_and_leave_no_gap() -> None:
    now = datetime(2027, 2, 15, tzinfo=UTC)
    months = [f"2026-{number:02d}" for number in range(1, 13)] + ["2027-01", "2027-02"]
    spans = [statements.span_of(month, now) for month in months]
    assert all(earlier[1] == later[0] for earlier, later in pairwise(spans))
    # In summer 2026 Morocco was an hour ahead of UTC; since 20 September 2026 it is not.
    assert spans[6][0] == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert spans[10][0] == datetime(2026, 11, 1, tzinfo=UTC)
    with pytest.raises(UnknownMonth):
        statements.span_of("2027-03", now)
