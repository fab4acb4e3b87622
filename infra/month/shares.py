"""The sector's shares, and what goes wrong how often: what a month's orders are drawn from.

Crafts and markets are those of exports to September 2025, home trade is taken to be a good half;
of regions, those that the demo has opened. How people pay: at home at an agent or from a phone more
than by card, abroad by card.
"""

REGIONS = {"MA-07": 41, "MA-03": 18, "MA-09": 10}
FAMILIES = {
    "pottery_and_stone": 35,
    "carpets": 18,
    "traditional_clothing": 17,
    "basketry": 6,
    "leather": 6,
    "blankets_and_textiles": 5,
    "metal": 5,
    "wood": 4,
    "jewellery": 3,
    "instruments_and_other": 1,
}
COUNTRIES = {"MA": 55, "US": 21, "FR": 6, "TR": 3, "ES": 3, "DE": 4, "GB": 3, "AE": 3, "CA": 2}
PAID_AT_HOME = {"cash_voucher": 40, "wallet": 32, "card": 18, "payzone": 10}
PAID_ABROAD = {"card": 50, "mastercard": 35, "payzone": 15}
PAID_IN_PERSON = {"card": 45, "mastercard": 20, "wallet": 35}
TWO_ARTISANS_PERCENT = 18
IN_PERSON = ("in_person", "in_person_refunded", "refund_refused", "refund_after_payout", "outage")

STORIES = {
    # Plain sales
    "sold": 46,
    "in_person": 16,
    # Paying
    "declined_then_paid": 4,
    "declined": 3,
    "paid_another_way": 3,
    "called_back_twice": 4,
    "forged": 2,
    "wrong_amount": 2,
    "paid_late": 2,
    "not_called_back": 3,
    "called_back_out_of_order": 2,
    "abandoned": 3,
    "cancelled_unpaid": 2,
    # After paying
    "cancelled_paid": 2,
    "parcel_declined": 2,
    "returned": 3,
    "refund_by_amount": 3,
    "refund_by_line": 2,
    "in_person_refunded": 1,
    "refund_refused": 1,
    "refund_after_payout": 2,
    "outage": 1,
    "dispute_won": 1,
    "dispute_lost": 1,
}
