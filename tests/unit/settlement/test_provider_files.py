"""Reading a provider's file and judging its lines."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.ledger.domain import deltas_minor
from chalicelib.money import Money
from chalicelib.settlement import provider_files
from chalicelib.settlement.domain import SettledPayment
from chalicelib.settlement.provider_files import FileLine, FileTooLong, FileUnreadable, LineResult
from tests.factories.settlement import CAPTURED_AT, COLUMNS, a_file, a_payment_id, a_sale, file_line

SALE = a_sale()


def read(content):
    return provider_files.read_file(content, "cmi", "standard")[1]


def a_line(**changes):
    return read(a_file([file_line(SALE, **changes)]))[0]


def a_settled(**changes):
    content = {
        "provider": "cmi",
        "captured": Money(24_990),
        "fee_estimate": Money(437),
        "parcel_ids": ("prc_a",),
    }
    return SettledPayment(a_payment_id(), **(content | changes))


class TestReading:
    def test_a_line_is_read_in_centimes(self):
        line = a_line()
        assert (line.gross, line.fee, line.net) == (Money(24_990), Money(437), Money(24_553))

    def test_a_byte_order_mark_and_semicolons_with_decimal_commas_are_read(self):
        text = a_file([file_line(SALE).replace(".", "#")]).decode()
        text = text.replace(",", ";").replace("#", ",")
        assert read(b"\xef\xbb\xbf" + text.encode()) != []
        line = read(b"\xef\xbb\xbf" + text.encode())[0]
        assert line.gross == Money(24_990)

    def test_columns_may_stand_in_any_order_and_others_beside_them(self):
        header = "note," + ",".join(reversed(COLUMNS.split(",")))
        cells = "x," + ",".join(reversed(file_line(SALE).split(",")))
        assert isinstance(read(a_file([cells], header))[0], FileLine)

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"gross": "249.9O"}, "gross is not an amount above zero"),
            ({"gross": "0"}, "gross is not an amount above zero"),
            ({"gross": "-249.90"}, "gross is not an amount above zero"),
            ({"gross": "٢٤٩"}, "gross is not an amount above zero"),
            ({"net": "245.52"}, "gross is not net plus fee"),
            ({"currency": "EUR"}, "currency is not MAD"),
            ({"reference": "ord_x"}, "reference is not a payment id"),
            ({"settled_at": "yesterday"}, "settled_at is not a time"),
            ({"type": "refund"}, "type is not payment"),
            ({"provider_reference": ""}, "provider_reference is wrong"),
        ],
    )
    def test_a_wrong_line_is_unreadable_with_its_reason(self, wrong, reason):
        found = a_line(**wrong)
        assert (found.result, found.reason) == (LineResult.UNREADABLE, reason)

    def test_a_broken_line_keeps_no_other_back(self):
        found = read(a_file(['"never closed,1,2', file_line(SALE), "too,short"]))
        assert [isinstance(line, FileLine) for line in found] == [False, True, False]

    @pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"a,b,c\n1,2,3\n"])
    def test_a_file_that_is_none_is_refused(self, content):
        with pytest.raises(FileUnreadable):
            read(content)

    def test_a_file_is_at_most_20_000_lines(self):
        with pytest.raises(FileTooLong):
            read(a_file(["x"] * 20_001))

    @given(some.binary(max_size=300))
    def test_P13_no_bytes_raise_anything_else(self, content):
        with suppress(FileUnreadable):
            read(COLUMNS.encode() + b"\n" + content)


class TestJudging:
    @pytest.mark.parametrize(
        ("payment", "result"),
        [
            (None, LineResult.MISSING_IN_LEDGER),
            (SettledPayment(a_payment_id(), waiting_line="rec_x#1"), LineResult.MISSING_IN_LEDGER),
            (a_settled(), LineResult.MATCHED),
            (a_settled(captured=Money(24_991)), LineResult.AMOUNT_DIFF),
            (a_settled(provider="wallet"), LineResult.AMOUNT_DIFF),
            (a_settled(confirmed_by="rec_x#1"), LineResult.DUPLICATE),
        ],
    )
    def test_what_a_line_says_against_what_was_settled(self, payment, result):
        assert provider_files.judge(a_line(), payment).result is result

    def test_a_line_that_confirmed_it_itself_is_matched(self):
        line = a_line()
        judged = provider_files.judge(line, a_settled(confirmed_by=line.line_id))
        assert judged.result is LineResult.MATCHED


class TestEntry:
    @given(some.integers(0, 24_990), some.integers(0, 24_990))
    def test_P5_clearing_is_emptied_and_the_accrued_fee_used_up(self, fee, estimate):
        line = a_line(fee_minor=fee)
        payment = a_settled(fee_estimate=Money(estimate))
        deltas = deltas_minor(provider_files.settlement_entry(line, payment, CAPTURED_AT))
        assert deltas["psp_clearing:cmi"] == 24_990
        assert deltas.get("bank:main", 0) == -(24_990 - fee)
        assert deltas.get("psp_fee_accrued:cmi", 0) == -estimate
        assert deltas.get("psp_fee_variance", 0) == estimate - fee
