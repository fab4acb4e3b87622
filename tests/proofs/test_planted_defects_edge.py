"""Defects planted into the edge's defences against abuse: each is found by the test it names."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.edge import addresses, calls, card_numbers, cards, observability, rates
from chalicelib.edge.openapi import document
from infra.local.aws import LocalAws
from tests.aws import Api
from tests.proofs import test_card_numbers as everywhere
from tests.proofs.defect import Defect, Proof
from tests.proofs.test_bad_input import operation_of
from tests.unit.edge import test_addresses as urls
from tests.unit.edge import test_calls as seam
from tests.unit.edge import test_cards as numbers
from tests.unit.edge import test_observability as logs
from tests.unit.edge import test_rates as limits

FOUND = (AssertionError, pytest.fail.Exception)


def _sent_to(route: str) -> Proof:
    def proof(aws: LocalAws, api: Api) -> None:
        schemas = document()["components"]["schemas"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rates, "admit", lambda *asked: {})  # That is for the others.
            everywhere.check_refused(api, operation_of(route), schemas)

    return proof


def _each(test: Callable[..., Any], *values: Any) -> Proof:
    def proof(aws: LocalAws, api: Api) -> None:
        for value in values:
            test(value)

    return proof


def _once(test: Callable[..., Any], *values: Any) -> Proof:
    return lambda aws, api: test(*values)


def _logged(aws: LocalAws, api: Api) -> None:
    for text in everywhere.NOTATIONS:
        observability.logger.registered_handler.stream = StringIO()
        everywhere.test_P15_a_failure_that_quotes_the_number_is_logged_without_it(None, text)


def _quoted(aws: LocalAws, api: Api) -> None:
    written = StringIO()
    observability.logger.registered_handler.stream = written
    logs.test_P15_what_an_exception_quotes_is_not_logged(
        lambda: [json.loads(written.getvalue())], lambda: int("Amina El Fassi")
    )


ORDERS, AUDIT = _sent_to("POST /v1/orders"), _sent_to("GET /v1/operator/audit")
PARCELS = _sent_to("POST /v1/me/parcels/{parcel_id}/ship")
FILES = _sent_to("POST /v1/operator/reconciliations")
WHAT_IS_ONE, WHAT_IS_NONE = numbers.TestWhatIsOne(), numbers.TestWhatIsNone()
BODIES, CALLERS, BUCKET = numbers.TestBodies(), limits.TestCallers(), limits.TestBucket()
WRITTEN, RESOLVED, LIMITS = urls.TestWritten(), urls.TestResolved(), seam.TestLimits()
BAD = _each(WRITTEN.test_anything_else_is_refused, *urls.BAD)
INSIDE = _each(RESOLVED.test_a_name_that_was_bound_anew_cannot_reach_inside, *urls.INSIDE)


def _as_on_aws(aws: LocalAws, api: Api) -> None:
    with pytest.MonkeyPatch.context() as patch:
        deployed = type(settings())(stage="production")
        patch.setattr(addresses, "settings", lambda: deployed)
        WRITTEN.test_on_aws_it_is_not(None)


DEFECTS = [
    # Card numbers
    Defect("paths are not read", calls._refuse_card_numbers,
           "cards.refuse_in_text(value, name)", "pass", PARCELS),
    Defect("headers are not read", calls._refuse_card_numbers,
           "cards.refuse_in_headers(headers)", "pass", ORDERS),
    Defect("queries are not read", calls._refuse_card_numbers,
           "cards.refuse_in_query(_query_values(request))", "pass", AUDIT),
    Defect("names in a query are not read", cards.refuse_in_query,
           'refuse_in_text(name, "query")', "pass", AUDIT),
    Defect("a second value is not read", cards.refuse_in_query,
           "for text in found:", "for text in found[:1]:", AUDIT),
    Defect("bodies are not read", calls._refuse_card_numbers,
           "cards.refuse_in_body(raw_body,", "str(raw_body,", ORDERS),
    Defect("files are not read", calls._refuse_card_numbers,
           "cards.refuse_in_body(raw_body, is_json=JSON_ONLY[0] in operation.media)",
           "JSON_ONLY[0] in operation.media and cards.refuse_in_body(raw_body, is_json=True)",
           FILES),
    Defect("operators may", calls._read, "operation.access is not Access.PROVIDER",
           "operation.access not in (Access.PROVIDER, Access.OPERATOR)", AUDIT),
    Defect("names of fields are not read", cards._field_with_card_number,
           "any(holds_card_number(name) for name, _ in value)", "False", ORDERS),
    Defect("only the last of two fields is read", cards._field_with_card_number,
           "object_pairs_hook=_Object",
           "object_pairs_hook=lambda pairs: _Object(dict(pairs).items())",
           _once(BODIES.test_P15_of_a_field_that_comes_twice_both_are_read)),
    Defect("numbers are not read", cards._field_with_card_number, "parse_int=str", "parse_int=int",
           ORDERS),
    Defect("what is no JSON is not read", cards._field_with_card_number,
           '"body" if holds_card_number(text) else None', "None", ORDERS),
    Defect("exponents hide it", cards._plain_number, 'return f"{number:.0f}"', "return text",
           _once(BODIES.test_P15_a_number_is_the_same_however_it_is_written,
                 f"{numbers.VISA}0e-1")),
    Defect("other scripts hide it", cards._may_hold, "_FOREIGN_DIGIT.search(raw)", "False", ORDERS),
    Defect("a script is forgotten", cards._may_hold, "_ESCAPED_DIGIT.search(raw)",
           'b"u066" in raw', _once(WHAT_IS_ONE.test_P15_in_whatever_script_unicode_has)),
    Defect("escapes hide it", cards._may_hold, "_ESCAPED_DIGIT.search(raw)", "False", ORDERS),
    Defect("an escaped blank hides it", cards._may_hold,
           'raw = _ANY_ESCAPE.sub(b"", raw)', "pass", ORDERS),
    Defect("an expiry date hides it", card_numbers._is_card_run,
           "any(map(_is_card_number, printed))", "False", ORDERS),
    Defect("any check digit will do", card_numbers._is_card_number, "total % 10 == 0", "True",
           _once(WHAT_IS_NONE.test_a_wrong_check_digit_is_none, numbers.VISA)),
    Defect("any beginning will do", card_numbers._is_card_number,
           "_ISSUERS.fullmatch(digits) is None", "False",
           _once(WHAT_IS_NONE.test_what_no_issuer_begins_or_measures_so_is_none, "0" * 16)),
    Defect("account numbers are refused", card_numbers._holds_rib,
           "len(part) == _RIB_DIGITS", "False",
           _once(WHAT_IS_NONE.test_account_numbers_pass_in_one_piece_and_in_groups)),
    Defect("digests are refused", card_numbers._is_machine_made,
           "word.start() <= run.start() and run.end() <= word.end()", "False",
           _once(WHAT_IS_NONE.test_identifiers_that_machines_make_pass)),
    Defect("telephones are refused", card_numbers._is_card_run,
           "after_plus and len(whole) <= 15", "False",
           _once(WHAT_IS_NONE.test_other_numbers_are_none, "+4915112345678")),
    Defect("log lines are written as they are", cards.without_card_numbers,
           "reversed(list(card_runs(text)))", "()", _logged),
    Defect("log lines hide it in escapes", cards.without_card_numbers,
           "visible(unescaped(text))", "visible(text)", _logged),
    Defect("exceptions are logged with what they quote", observability._said_by,
           "_QUOTED.sub(_word_or_nothing, str(error))", "str(error)", _quoted),
    # Limits
    Defect("callbacks are limited", rates.usual, "return None", "return READS",
           _once(limits.TestUsual().test_a_callback_is_never_limited)),
    Defect("all strangers are one", rates.admit, "who, percent = network_of(address)",
           'who, percent = "stranger"',
           _once(CALLERS.test_an_address_stands_for_many_and_may_ask_ten_times_as_much)),
    Defect("an address is one buyer", rates.admit,
           "scale_percent * rate.by_address", "scale_percent",
           _once(CALLERS.test_an_address_stands_for_many_and_may_ask_ten_times_as_much)),
    Defect("a made-up token is a new caller", rates.admit, "not who and access is Access.BUYER",
           "not who",
           _once(CALLERS.test_a_made_up_token_is_no_bucket_of_ones_own_where_it_opens_nothing)),
    Defect("callers are remembered", rates.admit, "keyed_hash(who, 'rate')[:32]", "who",
           _once(CALLERS.test_P15_neither_token_nor_address_nor_account_is_remembered)),
    Defect("a subscriber has 2^64 addresses", rates.network_of,
           'if ":" not in address:', "if True:",
           _once(CALLERS.test_an_ipv6_network_of_one_subscriber_is_one_address)),
    Defect("made-up credentials are free", calls._admitted,
           "limits |= rates.admit(operation.rate, operation.access, Caller(), address)", "pass",
           _once(LIMITS.test_made_up_credentials_count_for_the_address)),
    Defect("caches tell one caller's limit to all", calls._present, "if not shared:", "if True:",
           _once(LIMITS.test_what_caches_share_tells_nobodys_limit)),
    Defect("every body may have 256 KB", calls._read, "> operation.max_bytes", "> 256 * 1024",
           _once(seam.TestReading().test_a_route_may_read_less)),
    # Addresses
    Defect("http will do", addresses.check_public_url, 'scheme != "https"', "False", BAD),
    Defect("any port will do", addresses.check_public_url, "int(port) != HTTPS_PORT", "False", BAD),
    Defect("any character will do", addresses.check_public_url, "not _REST.fullmatch(found[4])",
           "False", BAD),
    Defect("numbers are names", addresses._check_host, "_NUMBER.fullmatch(last)", "False", BAD),
    Defect("inner names are names", addresses._check_host, "last in _INSIDE", "False", BAD),
    Defect("one word is a name", addresses._check_host, "len(labels) < 2", "False", BAD),
    Defect("any label is one", addresses._check_host, "not all(map(_LABEL.fullmatch, labels))",
           "False", BAD),
    Defect("any other script is one", addresses._check_host,
           "not all(map(_is_proper_label, labels))", "False", BAD),
    Defect("one public address of several will do", addresses.resolve_public,
           "all(map(is_public, found))", "any(map(is_public, found))", INSIDE),
    Defect("addresses that only look public", addresses.is_public,
           "any(found in network for network in _NOT_PUBLIC)", "False", INSIDE),
    Defect("any IPv6", addresses.is_public, "return found in _GLOBAL_IPV6", "return True", INSIDE),
    Defect("multicast", addresses.is_public, " and not found.is_multicast", "", INSIDE),
    Defect("our own machine on AWS", addresses._is_our_own,
           "settings().stage not in LOCAL_STAGES or ", "", _as_on_aws),
]  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found(
    defect: Defect, aws: LocalAws, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere_is_quiet(monkeypatch)
    # Without the defect the proof holds
    defect.proof(aws, api)
    rates.forget_everything()
    defect.plant(monkeypatch)
    with pytest.raises(FOUND) as found:
        defect.proof(aws, api)
    assert "the code has changed" not in str(found.value)


def everywhere_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits as deployed, a clock that stands still, and log lines where proofs read them."""
    monkeypatch.setenv("MAALEM_RATE_LIMIT_SCALE_PERCENT", "100")
    settings.cache_clear()
    standing = clock.outside_now()
    monkeypatch.setattr(clock, "outside_now", lambda: standing)
    monkeypatch.setattr(observability.logger.registered_handler, "stream", StringIO())
