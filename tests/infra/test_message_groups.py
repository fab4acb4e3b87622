"""Fair queues: whatever goes to settlement or payouts says whose backlog it belongs to."""

import ast
from pathlib import Path

import pytest

from chalicelib.payments.consumers import _group_of
from tests.factories.settlement import a_sale, captured_message, terms

ROOT = Path(__file__).parents[2] / "chalicelib"
GROUPED = ("settlement", "payouts")


def _sends() -> list[tuple[str, ast.Call]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in sorted(ROOT.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "queues.send"
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value in GROUPED
    ]


def test_the_senders_are_found() -> None:
    assert len(_sends()) >= 7


@pytest.mark.parametrize(("where", "call"), _sends(), ids=[where for where, _ in _sends()])
def test_every_message_of_money_names_its_group(where: str, call: ast.Call) -> None:
    named = [word.value for word in call.keywords if word.arg == "group"] + call.args[2:3]
    assert named, f"{where} sends without a group"
    assert not (isinstance(named[0], ast.Constant) and named[0].value is None), where


def test_one_artisans_sale_is_grouped_by_them_and_a_shared_one_by_its_payment() -> None:
    alone = captured_message(a_sale())
    shared = captured_message(a_sale(terms("prc_a", "art_a"), terms("prc_b", "art_b")))
    assert _group_of(alone) == "art_a"
    assert _group_of(shared) == shared.payment_id
