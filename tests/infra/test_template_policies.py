"""Who may do what: each function's policy is what its own code needs, and no more."""

from functools import cache
from pathlib import Path

import pytest

from infra.template.policies import Use, use_of

PROJECT = Path(__file__).resolve().parents[2]
APPLYING = (
    "apply_payment_message", "sweep_overdue_orders", "sweep_payments_to_ask",
    "sweep_callbacks_and_disputes",
)  # fmt: skip
"""Who applies what a provider has said, and so decides on payments."""


@pytest.fixture
def sources(tmp_path):
    """A small app that mounts one feature by name; the edge's tables are the real ones' names."""
    files = {
        "app.py": 'MOUNTED = ("chalicelib.shop.api:shop", "chalicelib.shop.consumers:events")',
        "chalicelib/shop/api.py": (
            "from chalicelib.edge.blueprint import Blueprint\n"
            "from chalicelib.shop.service import sell\n"
            "shop = Blueprint()\n"
            "@shop.route\ndef buy():\n    return sell()"
        ),
        "chalicelib/shop/consumers.py": (
            "from functools import partial\n"
            "from chalicelib.edge import outbound, queues\n"
            "from chalicelib.orders import tables as orders\n"
            "@queues.consumer('settlement')\n"
            "def told():\n    from . import service\n    queues.send('payouts', service.word())\n"
            "def hailed():\n    from chalicelib.edge import notices\n    notices.tell('paid')\n"
            "def asked():\n    HOW['once']()\n"
            "HOW = {'once': partial(outbound.send, 'settlement')}\n"
            "def looked():\n    orders.find()\n"
            "def marked():\n    orders.mark()\n"
            "def struck():\n    orders.strike()\n"
        ),
        "chalicelib/shop/service.py": (
            "from chalicelib.edge.tables import find\n"
            "def word():\n    return 'payments'\n"
            "def sell():\n    return find()"
        ),
        "chalicelib/orders/tables.py": (
            "class OrderTable:\n    pass\n"
            "def find():\n    return OrderTable.get()\n"
            "def mark():\n    find().update()\n"
            "def strike():\n    find().delete()\n"
            "def drop(order):\n    OrderTable.known.delete({order})\n"
        ),
        "chalicelib/edge/notices.py": "def tell(): pass",
        "chalicelib/edge/outbound.py": "def send(): pass",
        "chalicelib/edge/queues.py": "def send(): pass\ndef consumer(): pass",
        "chalicelib/edge/blueprint.py": (
            "from chalicelib.edge import calls\nclass Blueprint:\n    answer = calls.answer"
        ),
        "chalicelib/edge/calls.py": (
            "from chalicelib.edge import tables\ndef answer():\n    tables.AuditTable().delete()"
        ),
        "chalicelib/edge/tables.py": (
            "class AuditTable: pass\nclass IdempotencyTable: pass\n"
            "def find():\n    return IdempotencyTable.get().delete()"
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


class TestPolicies:
    def test_the_api_reaches_all_that_app_mounts_by_name_but_does_not_send(self, sources):
        use = use_of(sources, "app.app")
        assert set(use.tables) == {"audit", "idempotency"}
        assert use.queues == ()

    def test_a_consumer_gets_what_it_uses_and_not_what_its_module_imports(self, sources):
        use = use_of(sources, "chalicelib.shop.consumers.told")
        assert use.tables == {}
        # Nor a queue that something else names, or that wakes it.
        assert use.queues == ("payouts",)
        assert not use.calls_out

    def test_who_tells_people_something_may_send_notices(self, sources):
        assert use_of(sources, "chalicelib.shop.consumers.hailed").queues == ("notifications",)

    def test_a_constant_leads_to_what_it_holds(self, sources):
        use = use_of(sources, "chalicelib.shop.consumers.asked")
        assert use.calls_out
        assert use.queues == ()

    @pytest.mark.parametrize(
        ("function", "writes"),
        [("looked", set()), ("marked", {"UpdateItem"}), ("struck", {"DeleteItem"})],
    )
    def test_a_write_is_allowed_to_who_reaches_it(self, sources, function, writes):
        (actions,) = use_of(sources, f"chalicelib.shop.consumers.{function}").tables.values()
        assert set(actions) - {"BatchGetItem", "ConditionCheckItem", "GetItem", "Query"} == writes

    def test_P3_deleting_is_allowed_where_the_code_deletes_and_never_from_the_audit(self, sources):
        tables = use_of(sources, "app.app").tables
        assert "DeleteItem" in tables["idempotency"]
        assert "DeleteItem" not in tables["audit"]
        assert not {"Scan", "DeleteTable"} & {action for used in tables.values() for action in used}


@cache
def uses() -> dict[str, Use]:
    """What each deployed function may use."""
    from app import app

    handlers = {source.name: source.handler_string for source in app.event_sources}
    return {
        name: use_of(PROJECT, handler) for name, handler in {"API": "app.app", **handlers}.items()
    }


def who_may(action: str, table: str) -> set[str]:
    return {name for name, use in uses().items() if action in use.tables.get(table, ())}


class TestLeastPolicies:
    def test_only_kept_answers_are_ever_deleted(self):
        assert {
            (name, table)
            for name, use in uses().items()
            for table, actions in use.tables.items()
            if {"DeleteItem", "BatchWriteItem"} & set(actions)
        } == {("API", "idempotency")}

    def test_relays_of_payments_refunds_and_disputes_write_nothing(self):
        relays = {name: use for name, use in uses().items() if name.startswith("relay_")}
        writing = {
            (name, table)
            for name, use in relays.items()
            for table, actions in use.tables.items()
            if {"PutItem", "UpdateItem"} & set(actions)
        }
        # Whether a listing is sold out is a hint that follows its stock.
        assert writing == {("relay_order_changes", "listings")}

    def test_each_relay_sends_where_its_changes_are_awaited(self):
        sending = {name: use.queues for name, use in uses().items() if use.queues}
        told = ("notifications", "payments", "settlement")
        assert sending == {
            "relay_order_changes": ("notifications", "settlement"),
            "relay_payment_changes": told,
            "relay_refund_changes": told,
            "relay_dispute_changes": ("notifications", "settlement"),
            "relay_callbacks": ("payments",),
            "relay_confirmations": ("payments",),
            "relay_money_notices": ("notifications",),
            "relay_verifications": ("settlement",),
            "relay_payouts": ("notifications",),
            # A payout's callback is handed over by whoever applies it.
            **dict.fromkeys(APPLYING, ("payouts",)),
            "API": ("payouts", "settlement"),
            # What waits for an artisan, and a long file, are looked at page by page.
            **dict.fromkeys(("settle", "finish_settlement_files"), ("settlement",)),
            # A large batch goes on page by page.
            **dict.fromkeys(("record_payout_report", "finish_payout_batches"), ("payouts",)),
        }

    def test_the_ledger_is_written_by_settlement_and_payouts_and_its_own_seals_only(self):
        assert who_may("PutItem", "ledger") == {
            "API", "settle", "release_due_shares", "record_payout_report", "finish_payout_batches",
            "seal_ledger_days",
        }  # fmt: skip
        assert who_may("UpdateItem", "ledger") == who_may("PutItem", "ledger") - {
            "seal_ledger_days"
        }

    def test_refunds_and_disputes_are_written_where_payments_are_decided(self):
        assert who_may("PutItem", "refunds") == {"API", *APPLYING, "sweep_refunds"}
        assert who_may("PutItem", "disputes") == {"API", *APPLYING}

    def test_only_who_may_wait_for_a_provider_calls_one(self):
        calling = {name for name, use in uses().items() if use.calls_out}
        assert calling == {
            "API", "apply_payment_message", "sweep_overdue_orders", "sweep_payments_to_ask",
            "record_payout_report", "finish_payout_batches",
            "sweep_refunds",
        }  # fmt: skip
