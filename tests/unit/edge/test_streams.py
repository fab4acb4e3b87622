"""The outbox: changes in order; the first that fails keeps the rest waiting."""

import pytest

from chalicelib.config import settings
from chalicelib.edge.queues import BatchFailed
from chalicelib.edge.streams import Change, consume_changes


def a_record(number: int, old: str | None, new: str | None) -> dict:
    images = {
        name: {"status": {"S": value}}
        for name, value in (("OldImage", old), ("NewImage", new))
        if value is not None
    }
    return {"dynamodb": {"SequenceNumber": str(number), **images}}


@pytest.fixture
def partial(monkeypatch):
    monkeypatch.setenv("MAALEM_PARTIAL_BATCH", "1")
    settings.cache_clear()


class TestChange:
    @pytest.mark.parametrize(
        ("old", "new", "became"),
        [
            (None, "paid", "paid"),
            ("placed", "paid", "paid"),
            ("paid", "paid", None),
            ("paid", None, None),
        ],
    )
    def test_an_attribute_became_what_it_was_not(self, old, new, became):
        data = a_record(1, old, new)["dynamodb"]
        change = Change(old=data.get("OldImage"), new=data.get("NewImage"))
        assert change.became("status") == became

    def test_another_attribute_did_not_change(self):
        assert Change(old=None, new={"status": {"S": "paid"}}).became("other") is None

    def test_the_text_of_the_new_image(self):
        assert Change(old=None, new={"status": {"S": "paid"}}).text("status") == "paid"


class TestConsuming:
    def test_changes_come_in_order(self, partial):
        seen = []
        records = [a_record(number, None, f"s{number}") for number in range(3)]
        answer = consume_changes(records, lambda change: seen.append(change.text("status")))
        assert seen == ["s0", "s1", "s2"]
        assert answer == {"batchItemFailures": []}

    def test_P6_from_the_first_failure_on_everything_comes_again(self, partial):
        seen = []

        def handle(change: Change) -> None:
            if change.text("status") == "s1":
                raise ValueError("broken")
            seen.append(change.text("status"))

        answer = consume_changes([a_record(n, None, f"s{n}") for n in range(3)], handle)
        assert seen == ["s0"]
        assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}

    def test_P6_without_partial_reporting_the_whole_batch_comes_again(self, monkeypatch):
        monkeypatch.delenv("MAALEM_PARTIAL_BATCH", raising=False)
        settings.cache_clear()

        def handle(change: Change) -> None:
            raise ValueError("broken")

        with pytest.raises(BatchFailed):
            consume_changes([a_record(1, None, "x")], handle)
