"""`Idempotency-Key` (P12): one effect, the same answer, and no answer to anybody else."""

import pytest
from pydantic import BaseModel

from chalicelib import clock
from chalicelib.edge.idempotency import (
    KEPT_SECONDS,
    LEASE_SECONDS,
    KeyInProgress,
    KeyMalformed,
    KeyMissing,
    KeyUse,
    answer_once,
    key_from,
)
from chalicelib.edge.replies import Reply
from chalicelib.errors import Conflict, KeyMismatch

pytestmark = pytest.mark.usefixtures("aws")


class Made(BaseModel):
    number: int


class Maker:
    """Makes something new each time it is called."""

    def __init__(self, *refusals: Exception) -> None:
        self.made = 0
        self._refusals = list(refusals)

    def __call__(self) -> Reply:
        if self._refusals:
            raise self._refusals.pop(0)
        self.made += 1
        return Reply(Made(number=self.made), headers={"X-Made": "yes"})


def once(make, *, scope="artisan POST /v1/things", key="key-1", content=b"{}") -> Reply:
    return answer_once(scope, key, content, make)


class TestRepeats:
    def test_P12_the_same_request_has_one_effect_and_the_same_answer(self):
        make = Maker()
        first, second = once(make), once(make)
        assert make.made == 1
        assert second.text() == first.text()
        assert second.headers == {"X-Made": "yes", "Idempotent-Replayed": "true"}
        assert "Idempotent-Replayed" not in first.headers

    @pytest.mark.parametrize("status", [0, 200, 201, 202])
    def test_P12_the_status_and_media_type_are_the_same_too(self, status):
        reply = Reply("a,b", status=status, content_type="text/csv")
        once(lambda: reply)
        repeated = once(lambda: reply)
        assert (repeated.status, repeated.content_type) == (status, "text/csv")

    def test_P12_another_body_under_the_same_key_is_refused(self):
        make = Maker()
        once(make, content=b'{"a": 1}')
        with pytest.raises(KeyMismatch):
            once(make, content=b'{"a": 2}')
        assert make.made == 1

    @pytest.mark.parametrize("other", [{"scope": "another artisan"}, {"key": "key-2"}])
    def test_P14_another_caller_or_key_has_its_own_answer(self, other):
        make = Maker()
        once(make)
        assert once(make, **other).text() == '{"number":2}'

    def test_a_key_is_kept_30_days(self):
        make = Maker()
        once(make)
        clock.advance(KEPT_SECONDS - 60)
        once(make)
        assert make.made == 1
        clock.advance(120)
        once(make)
        assert make.made == 2


class TestRefusals:
    def test_a_refused_request_may_be_repeated_and_corrected(self):
        make = Maker(Conflict("not yet"), Conflict("still not"))
        for content in (b"1", b"2"):
            with pytest.raises(Conflict):
                once(make, content=content)
        assert once(make, content=b"3").text() == '{"number":1}'

    def test_an_answer_of_5xx_is_not_kept(self):
        once(lambda: Reply("", status=503))
        assert once(Maker()).text() == '{"number":1}'


class TestFirstRequestNotEnded:
    def crash(self, content=b"{}") -> None:
        with pytest.raises(RuntimeError):
            once(Maker(RuntimeError("crashed")), content=content)

    def test_P12_a_second_at_the_same_time_is_told_to_wait(self):
        outer = []

        def make() -> Reply:
            with pytest.raises(KeyInProgress) as refused:
                once(Maker())
            outer.append(refused.value.retry_after_seconds)
            return Reply(Made(number=7))

        assert once(make).text() == '{"number":7}'
        assert outer == [1]

    def test_after_a_crash_the_key_is_held_as_long_as_a_request_may_live(self):
        self.crash()
        clock.advance(LEASE_SECONDS - 2)
        with pytest.raises(KeyInProgress):
            once(Maker())
        clock.advance(4)
        assert once(Maker()).text() == '{"number":1}'

    def test_P12_what_was_abandoned_is_finished_only_by_the_same_request(self):
        self.crash(content=b"1")
        clock.advance(LEASE_SECONDS + 2)
        with pytest.raises(KeyMismatch):
            once(Maker(), content=b"2")
        assert once(Maker(), content=b"1").text() == '{"number":1}'

    def test_who_lost_the_key_does_not_overwrite_the_answer(self):
        def slow() -> Reply:
            clock.advance(LEASE_SECONDS + 2)
            once(lambda: Reply(Made(number=1)))
            return Reply(Made(number=2))

        once(slow)
        assert once(Maker()).text() == '{"number":1}'


class TestKeys:
    @pytest.mark.parametrize("key", ["a", "!" * 255, "~", "018f-uuid", '"quoted"'])
    def test_1_to_255_visible_characters(self, key):
        assert key_from({"idempotency-key": f" {key} "}, KeyUse.KEPT) == key

    @pytest.mark.parametrize("key", ["x" * 256, "a b", "a\nb", "é", "a\x7f", "\u200fa"])
    def test_anything_else_is_no_key(self, key):
        with pytest.raises(KeyMalformed):
            key_from({"idempotency-key": key}, KeyUse.KEPT)

    @pytest.mark.parametrize("use", [KeyUse.OWN, KeyUse.KEPT_REQUIRED])
    @pytest.mark.parametrize("headers", [{}, {"idempotency-key": ""}, {"idempotency-key": "  "}])
    def test_P12_where_it_is_required_it_is_missed(self, use, headers):
        with pytest.raises(KeyMissing):
            key_from(headers, use)

    def test_elsewhere_it_may_be_left_out(self):
        assert key_from({}, KeyUse.KEPT) == ""
