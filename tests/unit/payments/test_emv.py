"""EMVCo's code: what is written is read again, and nothing that was altered is."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.money import Money
from chalicelib.payments import actions, emv, qr
from chalicelib.payments.domain import Method, Provider
from chalicelib.payments.emv import Code, Merchant, UnreadableCode
from chalicelib.payments.schemas import PaymentView
from tests.factories.orders import an_order
from tests.factories.payments import a_payment

# The sample of EMVCo's specification, version 1.0, annex A: its template 64 is in Chinese.
SAMPLE = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN"
    "5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.725303156550201623303041234"
    "0603***0708A60086670902ME91320016A0112233449988770708123456786304A13A"
)
PAYMENT_ID = "pay_" + "k" * 24 + "01"
printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=25)
arabic = st.text(st.characters(min_codepoint=0x0620, max_codepoint=0x064A), min_size=1, max_size=15)
any_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
amounts = st.integers(100, 10_000_000).map(Money)
codes = st.builds(
    Code,
    name=printable,
    town=printable.map(lambda text: text[:15]),
    reference=st.from_regex(r"pay_[a-z2-7]{24}[0-9]{2}", fullmatch=True),
    label=st.from_regex(r"[a-z2-7]{10,25}", fullmatch=True),
    amount=amounts,
    native=st.none() | st.tuples(arabic, arabic),
)


def a_code(**changes: Any) -> Code:
    content: dict[str, Any] = {
        "name": "Atelier Tester",
        "town": "Fes",
        "reference": PAYMENT_ID,
        "label": "k" * 23 + "01",
        "amount": Money(24_990),
        "native": None,
    }
    return Code(**(content | changes))


def test_the_checksum_and_lengths_are_those_of_the_specification_s_sample() -> None:
    assert emv.checksum_of(SAMPLE[:-4]) == SAMPLE[-4:] == "A13A"
    objects = emv.objects_in(SAMPLE)
    # Counted in bytes, the template in Chinese would swallow what follows it.
    assert emv.objects_in(objects["64"]) == {"00": "ZH", "01": "最佳运输", "02": "北京"}
    assert objects["54"] == "23.72"


def test_a_code_says_what_a_moroccan_craft_shop_s_must() -> None:
    objects = emv.objects_in(emv.payload_of(a_code()))
    assert list(objects)[0] == "00"
    assert list(objects)[-1] == "63"
    assert objects["00"] == "01"
    assert objects["01"] == "12"
    assert objects["52"] == "5970"
    assert objects["53"] == "504"
    assert objects["54"] == "249.90"
    assert objects["58"] == "MA"
    assert (objects["59"], objects["60"]) == ("Atelier Tester", "Fes")
    assert emv.objects_in(objects["26"]) == {"00": "ma.maalem", "01": PAYMENT_ID}
    assert emv.objects_in(objects["62"]) == {"05": "k" * 23 + "01"}
    assert "64" not in objects


@given(code=codes)
def test_what_is_written_is_read_again(code: Code) -> None:
    assert emv.read(emv.payload_of(code)) == code


@given(name=any_text, town=any_text, amount=amounts)
def test_a_merchant_of_any_name_has_a_code(name: str, town: str, amount: Money) -> None:
    code = emv.code_of(Merchant(name, town), PAYMENT_ID, "label", amount)
    assert emv.read(emv.payload_of(code)) == code
    for text, most in ((code.name, 25), (code.town, 15)):
        assert re.fullmatch(rf"[ -~]{{1,{most}}}", text)
        assert text == text.strip()


@pytest.mark.parametrize(
    ("name", "town", "shown", "native"),
    [
        ("Atelier Tester", "Fès", ("Atelier Tester", "Fes"), None),
        ("Cœur d’Œuvre – Salé", "M'diq", ("Coeur d'OEuvre - Sale", "M'diq"), None),
        ("ورشة الزليج", "فاس", ("Maalem", "Maroc"), ("ورشة الزليج", "فاس")),
        ("Dar الصانع", "Fès", ("Dar", "Fes"), ("Dar الصانع", "Fès")),
        ("ⵜⴰⴷⴷⴰⵔⵜ", "ⴼⴰⵙ", ("Maalem", "Maroc"), None),
        ("Coopérative des tisseuses de Taznakht", "Laâyoune-Sakia El Hamra",
         ("Cooperative des tisseuses", "Laayoune-Sakia"), None),
    ],
)  # fmt: skip
def test_names_are_shown_in_latin_letters_and_in_arabic_beside_them(
    name: str, town: str, shown: tuple[str, str], native: tuple[str, str] | None
) -> None:
    code = emv.code_of(Merchant(name, town), PAYMENT_ID, "label", Money(100))
    assert ((code.name, code.town), code.native) == (shown, native)


@pytest.mark.parametrize("code", [a_code(), a_code(native=("ورشة الزليج", "فاس"))])
def test_a_single_altered_character_is_never_read(code: Code) -> None:
    payload = emv.payload_of(code)
    for place, right in enumerate(payload):
        width = len(right.encode())
        for wrong in "0159AFaz .*ابيث":
            if wrong != right and len(wrong.encode()) == width:
                with pytest.raises(UnreadableCode):
                    emv.read(payload[:place] + wrong + payload[place + 1 :])


@given(code=codes, data=st.data())
def test_what_is_cut_off_swapped_or_doubled_is_never_read(code: Code, data: Any) -> None:
    payload = emv.payload_of(code)
    place = data.draw(st.integers(0, len(payload) - 2))
    broken = {
        "cut off": payload[: place + 1],
        "left out": payload[:place] + payload[place + 1 :],
        "doubled": payload[:place] + payload[place] + payload[place:],
        "swapped": payload[:place] + payload[place + 1] + payload[place] + payload[place + 2 :],
    }
    for text in broken.values():
        if text != payload:
            with pytest.raises(UnreadableCode):
                emv.read(text)


@pytest.mark.parametrize(
    "objects",
    [
        {"01": "11"},  # for any number of payments
        {"52": "5812"},
        {"53": "978"},
        {"58": "FR"},
        {"54": "1.234"},
        {"54": None},
        {"59": None},
        {"26": "0008ma.other0105pay_1"},
        {"26": None},
        {"62": None},
    ],
)
def test_a_code_with_a_right_checksum_that_is_not_ours_is_not_read(
    objects: dict[str, str | None],
) -> None:
    found = emv.objects_in(emv.payload_of(a_code())) | objects
    del found["63"]
    body = "".join(f"{name}{len(value):02d}{value}" for name, value in found.items() if value)
    with pytest.raises(UnreadableCode):
        emv.read(body + "6304" + emv.checksum_of(body + "6304"))


def test_an_object_that_is_there_twice_is_not_read() -> None:
    body = emv.payload_of(a_code())[:-8] + "5403" + "1.0"
    with pytest.raises(UnreadableCode):
        emv.read(body + "6304" + emv.checksum_of(body + "6304"))


@pytest.mark.parametrize(
    "text", ["", "6304", "6304FFFF", "00", "0002", "00020", "٠٠٠٢01", "000101"]
)
def test_what_is_no_code_at_all_is_refused_in_our_words(text: str) -> None:
    with pytest.raises(UnreadableCode):
        emv.read(text)


class TestWalletQr:
    """A payment by a wallet's QR: the code is that payment's own."""

    PAYMENT = a_payment(method=Method.WALLET_QR, provider=Provider.WALLET)

    def action(self, merchant: Merchant = emv.MARKETPLACE) -> Code:
        action = actions.action_of(self.PAYMENT, an_order().buyer, merchant)
        assert isinstance(action, actions.Qr)
        return emv.read(action.payload)

    def test_the_wallet_reads_whom_it_pays_how_much_and_what_to_report(self) -> None:
        code = self.action(Merchant("Dar Tester", "Salé"))
        assert code.reference == self.PAYMENT.payment_id
        assert code.amount == self.PAYMENT.amount
        assert (code.name, code.town) == ("Dar Tester", "Sale")

    def test_of_an_order_the_marketplace_is_named(self) -> None:
        assert self.action().name == "Maalem"

    def test_two_payments_of_an_order_have_two_short_references(self) -> None:
        labels = set()
        for number in ("01", "02"):
            payment = a_payment(payment_id=f"pay_{'o' * 24}{number}", method=Method.WALLET_QR)
            labels.add(emv.read(actions.wallet_code(payment, emv.MARKETPLACE)).label)
        assert len(labels) == 2
        assert {len(label) for label in labels} == {25}

    def test_the_answer_has_the_code_and_its_drawing(self) -> None:
        view = PaymentView.of(self.PAYMENT, an_order().buyer).model_dump(mode="json")
        assert view["action"]["type"] == "qr"
        assert emv.read(view["action"]["payload"]).reference == self.PAYMENT.payment_id
        assert view["action"]["svg"].startswith("<svg ")


def modules_of(svg: str) -> list[list[int]]:
    """The dark modules that a drawing shows, without its quiet zone."""
    root = ElementTree.fromstring(svg)
    size = int(str(root.get("viewBox")).split()[2]) - 2 * qr.QUIET_ZONE
    dark = [[0] * size for _ in range(size)]
    [path] = [each for each in root if each.get("stroke")]
    x = y = 0
    for kind, numbers in re.findall(r"([Mmh])([-0-9. ]+)", str(path.get("d"))):
        steps = [float(number) for number in numbers.split()]
        if kind == "h":
            for column in range(int(steps[0])):
                dark[y - qr.QUIET_ZONE][x + column - qr.QUIET_ZONE] = 1
            x += int(steps[0])
        elif kind == "m":
            x, y = x + int(steps[0]), y + int(steps[1])
        else:
            x, y = int(steps[0]), int(steps[1])
    return dark


class TestDrawing:
    def test_it_scales_has_a_title_a_quiet_zone_and_no_script(self) -> None:
        svg = qr.svg_of("https://example.ma/p/abcdefghij", "249.90 <MAD>")
        root = ElementTree.fromstring(svg)
        assert root.get("viewBox") == "0 0 37 37"
        assert (root.get("width"), root.get("height")) == (None, None)
        assert {each.tag.rpartition("}")[2] for each in root.iter()} == {"svg", "title", "path"}
        assert root[0].text == "249.90 <MAD>"

    @pytest.mark.parametrize("native", [None, ("ورشة الزليج", "فاس")])
    def test_it_draws_the_payload_in_utf_8_and_bears_damage(self, native: Any) -> None:
        payload = emv.payload_of(a_code(native=native))
        wanted = segno.make_qr(payload.encode(), error="m")
        assert modules_of(qr.svg_of(payload, "t")) == [list(row) for row in wanted.matrix]
        assert wanted.error in ("M", "Q", "H")
