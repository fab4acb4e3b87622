"""Defects of commission rules, frozen terms and discounts to plant.

A proof is given the shop of the tests of payments.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.orders import agreements, tables, terms_schemas
from chalicelib.payments import checkout, link_sales, refund_lines
from chalicelib.settlement import consumers
from chalicelib.settlement import domain as settlement
from chalicelib.terms import domain, sale_domain, service
from chalicelib.terms import tables as terms_tables
from tests.integration.payments import test_terms as sales
from tests.integration.payments.conftest import Shop
from tests.integration.terms import test_rules as rules
from tests.proofs.defect import Defect
from tests.unit.payments.test_refund_lines import TestFailedPieces as Failed
from tests.unit.payments.test_refund_lines import TestPieces as Pieces
from tests.unit.terms import test_sale
from tests.unit.terms.test_domain import TestChoose as Choosing
from tests.unit.terms.test_domain import TestInForce as InForce
from tests.unit.terms.test_sale import TestCommission as Commission
from tests.unit.terms.test_sale import TestDiscounts as Discounts


@dataclass(frozen=True)
class _Of:
    """A test that is called with what it takes of a shop."""

    test: Callable[..., Any]
    takes: Callable[[Shop], tuple[Any, ...]]

    def __call__(self, aws: Any, shop: Any) -> None:
        self.test(*self.takes(shop))


def _pure(test: Callable[..., Any], *values: Any) -> _Of:
    return _Of(test, lambda shop: values)


def _api(test: Callable[..., Any]) -> _Of:
    return _Of(test, lambda shop: (shop.api,))


def _shop(test: Callable[..., Any]) -> _Of:
    return _Of(test, lambda shop: (shop,))


_sold_by_rule = _shop(sales.test_each_parcel_goes_by_the_rule_of_its_line_and_its_artisan_is_told)
_frozen = _shop(sales.test_the_terms_are_those_of_the_sale_whatever_the_rules_become)
_ours = _shop(sales.test_a_discount_that_we_carry_costs_the_artisan_nothing)
_versions = _api(rules.test_a_rule_is_never_edited_but_gets_versions_and_an_end)

DEFECTS = [
    Defect(
        "the least specific rule wins", domain.choose,
        "reverse=True", "reverse=False",
        _pure(Choosing().test_the_most_specific_rule_wins_and_says_so, 0),
    ),
    Defect(
        "of two as specific the older wins", domain.choose,
        "rule.made_at, rule.rule_id", "-rule.made_at.timestamp(), rule.rule_id",
        _pure(Choosing().test_of_two_as_specific_the_newer_wins_whatever_their_order),
    ),
    Defect(
        "rules that do not fit count", domain.choose,
        " if rule.when.fit(occasion)", "",
        _pure(Choosing().test_a_rule_of_which_one_condition_does_not_fit_is_no_rule,
              {"craft": "pottery"}),
    ),
    Defect(
        "a version counts before it starts", domain.in_force,
        "rule.starts_at <= at", "True",
        _pure(InForce().test_a_version_holds_until_the_next_has_started, 0, 1),
    ),
    Defect(
        "an ended rule comes back", domain.in_force,
        "if rule.starts_at <= at:",
        "if rule.starts_at <= at and (rule.ends_at is None or at < rule.ends_at):",
        _pure(InForce().test_a_rule_that_has_ended_does_not_come_back_by_an_older_version),
    ),
    Defect(
        "a discount makes things free", sale_domain._discounts,
        "max(line.goods_minor - 1, 0)", "line.goods_minor",
        _pure(Discounts().test_nothing_becomes_free),
    ),
    Defect(
        "each line is discounted and rounded by itself", sale_domain._discounts,
        "off = rounded_parts(",
        "off = (lambda exact, full: [(e * 2 + full) // (2 * full) for e in exact])(",
        _pure(test_sale.test_a_discount_is_rounded_once_over_the_basket),
    ),
    Defect(
        "a discount for lines that the campaign does not cover", sale_domain._discounts,
        " if campaign.covers(line.occasion) else 0", "",
        _pure(Discounts().test_one_that_the_artisan_carries_lowers_the_price_and_the_commission),
    ),
    Defect(
        "commission of the full price where the artisan lowered it", sale_domain._of_parcel,
        "discount * theirs", "0",
        _pure(Discounts().test_one_that_the_artisan_carries_lowers_the_price_and_the_commission),
    ),
    Defect(
        "each line's commission is rounded by itself", sale_domain._of_parcel,
        "commissions = rounded_parts(exact, FULL_BP)",
        "commissions = [(e * 2 + FULL_BP) // (2 * FULL_BP) for e in exact]",
        _pure(Commission().test_a_parcel_is_rounded_once_and_its_lines_by_the_largest_remainder),
    ),
    Defect(
        "a campaign's rule counts for lines outside of it", sale_domain._of_parcel,
        "campaign and campaign.covers(line.occasion)", "campaign",
        _pure(Discounts().test_a_campaigns_rule_counts_for_the_lines_that_it_covers),
    ),
    Defect(
        "we give away more than our commission", sale_domain._within,
        "each.discount_minor, each.commission_minor, room_minor", "each.discount_minor, room_minor",
        _pure(Discounts().test_it_is_never_more_than_the_commission),
    ),
    Defect(
        "we give away what the provider takes", sale_domain._room_minor,
        "gross + (-gross * basket.fee_bp) // FULL_BP", "gross",
        _pure(Discounts().test_of_a_commission_of_all_the_goods_only_what_the_fee_leaves_is_given_away),
    ),
    Defect(
        "the artisan's fee falls with our discount", settlement.fees_minor,
        "terms.full_minor", "terms.gross_minor",
        _pure(Discounts().test_the_fee_of_a_discounted_sale_is_estimated_on_the_full_price),
    ),
    Defect(
        "our discount is the artisan's loss", settlement._parts,
        "before_discount - terms.discount_minor", "before_discount",
        _pure(Discounts().test_one_that_we_carry_comes_out_of_our_commission),
    ),
    Defect(
        "settlement is not told the commission that was agreed", consumers._sale,
        "commission_minor=share.commission_minor,", "", _sold_by_rule,
    ),
    Defect(
        "settlement is not told of our discount", consumers._sale,
        "discount_minor=share.discount_minor or 0,", "", _ours,
    ),
    Defect(
        "a payment keeps no commission", checkout._share,
        "agreed.commission_minor if agreed else None", "None", _sold_by_rule,
    ),
    Defect(
        "an order forgets its lines' terms", tables._line_from,
        "line_terms_from(terms) if terms else None", "None", _frozen,
    ),
    Defect(
        "a parcel has the commission of all parcels", agreements.agreement_of,
        " if line.artisan_id == artisan_id", "", _sold_by_rule,
    ),
    Defect(
        "buyers are told the commission", terms_schemas.terms_shown,
        "is_operator or parcel.artisan_id == artisan_id", "True", _sold_by_rule,
    ),
    Defect(
        "artisans are told each other's terms", terms_schemas.terms_shown,
        "parcel.artisan_id == artisan_id", "artisan_id", _sold_by_rule,
    ),
    Defect(
        "face to face goes by the order's rules", link_sales._new_order,
        "replace(line, terms=terms.terms_in_person(line.goods_minor))", "line",
        _api(sales.test_face_to_face_keeps_its_own_rate_and_says_so),
    ),
    Defect(
        "a campaign that has not begun counts", service._running,
        " or not newest.is_running(now)", "",
        _shop(sales.test_a_campaign_that_is_not_running_refuses_the_order_and_holds_nothing),
    ),
    Defect(
        "a change overwrites what another made", service.change_rule,
        "newest.version != replaced and not _says_the_same(newest, new)", "False", _versions,
    ),
    Defect(
        "a version is edited in place", terms_tables._add,
        "row.save(TermsTable.name.does_not_exist())", "row.save()",
        _api(rules.test_two_at_once_make_one_version),
    ),
    Defect(
        "an end is made twice", service.end_rule,
        "newest.ends_at is not None and newest.ends_at <= now", "False", _versions,
    ),
    Defect(
        "pieces are refunded at the full price", refund_lines.portions_of_lines,
        "line.goods_of(quantity, before)", "quantity * line.unit_price_minor",
        _shop(sales.test_pieces_of_a_discounted_line_are_refunded_to_the_centime),
    ),
    Defect(
        "pieces forget those before them", refund_lines.portions_of_lines,
        "line.goods_of(quantity, before)", "line.goods_of(quantity, 0)",
        _pure(Pieces().test_pieces_of_a_discounted_line_differ_by_a_centime),
    ),
    Defect(
        "the last piece does not give way", refund_lines._within_what_is_left,
        "if line.goods_minor % line.quantity:", "if False:",
        _pure(Failed().test_the_last_piece_gives_way_by_a_centime),
    ),
]  # fmt: skip
