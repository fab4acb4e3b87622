"""CMI (Nestpay): the signed redirect form, the callback, and the status API (`CC5Request`)."""

import secrets
from urllib.parse import urlencode
from xml.etree import ElementTree

from chalicelib import clock
from chalicelib.config import settings
from chalicelib.money import from_decimal_text
from chalicelib.payments.providers.cmi import CAPTURE, ver3_hash
from infra.local.bank.accounts import BankRefusal, Books, Charge, State, Try
from infra.local.bank.callbacks import Callback, Sent, callback_url, is_ours
from infra.local.bank.dialect import Takes, callback_name, decimal_text, form_of, is_same
from infra.local.gateway import HttpAnswer, HttpRequest, problem

CURRENCIES = {"MAD": "504", "EUR": "978"}
FORGERS_KEY = "NOT-THE-STORE-KEY"
STATUS = {
    State.PENDING: "PN",
    State.FAILED: "D",
    State.AUTHORIZED: "A",
    State.CAPTURED: "C",
    State.VOIDED: "V",
}


class Cmi:
    """Its answer to a callback decides; it has no refunds by API, and disputes come by letter."""

    name = "cmi"

    def __init__(self, books: Books) -> None:
        self._books = books

    def open(self, request: HttpRequest) -> Charge | HttpAnswer:
        """What the buyer's browser posts to the gateway, checked as CMI checks it."""
        fields = form_of(request)
        expected = ver3_hash(fields, settings().cmi_store_key)
        if not is_same(fields.get("HASH", ""), expected):
            return problem(400, "bad_signature", "HASH is not that of these fields.")
        amount = from_decimal_text(fields.get("amount", ""))
        if fields.get("clientid") != settings().cmi_client_id:
            return problem(400, "bad_client", "There is no such merchant.")
        if amount is None or fields.get("currency") != CURRENCIES["MAD"]:
            return problem(400, "bad_amount", "The amount is not one in MAD.")
        if not is_ours(fields.get("callbackUrl", "")):
            return problem(400, "bad_address", "callbackUrl is not the platform's.")
        asked = Charge(
            fields.get("oid", ""),
            self.name,
            amount.amount_minor,
            callback_url=fields.get("callbackUrl", ""),
            return_url=fields.get("okUrl", ""),
            fail_url=fields.get("failUrl", ""),
            language=fields.get("lang", ""),
        )
        try:
            return self._books.open(asked)
        except BankRefusal as refusal:
            return problem(400, "bad_order", str(refusal))

    def takes(self, charge: Charge) -> Takes:
        return Takes.BY_ANSWER

    def captures(self, sent: Sent) -> bool:
        return sent.status == 200 and sent.answer.strip() == CAPTURE

    def callbacks(self, charge: Charge, made: Try, *, forged: bool = False) -> list[Callback]:
        """The form that CMI's server posts; the same try always has the same TransId."""
        approved = made.state is not State.FAILED
        number = made.provider_reference
        fields = {
            "oid": charge.reference,
            "ReturnOid": charge.reference,
            "clientid": settings().cmi_client_id,
            "amount": decimal_text(made.amount_minor),
            "currency": CURRENCIES[made.currency],
            "TransId": number,
            "ProcReturnCode": "00" if approved else "51",
            "Response": "Approved" if approved else "Declined",
            "AuthCode": number[2:8] if approved else "",
            "HostRefNum": number[2:14],
            "ErrMsg": "" if approved else "Insufficient funds (sandbox)",
            "mdStatus": "1",
            "MaskedPan": "4000 00** **** 0002",
            "EXTRA.CARDBRAND": "VISA",
            "EXTRA.TRXDATE": clock.outside_now().strftime("%d/%m/%Y %H:%M:%S"),
            "storetype": "3D_PAY_HOSTING",
            "TranType": "PreAuth",
            "callbackCall": "true",
            "rnd": secrets.token_hex(10),
            "hashAlgorithm": "ver3",
            "encoding": "UTF-8",
            "lang": "fr",
        }
        fields["HASH"] = ver3_hash(fields, FORGERS_KEY if forged else settings().cmi_store_key)
        return [
            Callback(
                callback_name("card callback", made, charge, forged),
                callback_url(self.name, charge.callback_url),
                {"Content-Type": "application/x-www-form-urlencoded"},
                urlencode(fields).encode(),
            )
        ]

    def dispute_callbacks(self, charge: Charge) -> list[Callback]:
        return []

    def return_url(self, charge: Charge) -> str:
        return charge.fail_url if charge.state is State.FAILED else charge.return_url

    def answer(self, request: HttpRequest, path: str) -> HttpAnswer:
        """The status API: a form whose field DATA is a CC5Request."""
        if path != "api":
            return problem(404, "not_found", "CMI has nothing at this address.")
        if request.method != "POST":
            return problem(405, "method_not_allowed", "Post DATA.", (("Allow", "POST"),))
        asked = _parsed(form_of(request).get("DATA", ""))
        if asked is None:
            return _refused("", "The request is not a CC5Request.")
        known = (settings().cmi_api_user, settings().cmi_api_password, settings().cmi_client_id)
        given = [asked.findtext(name) or "" for name in ("Name", "Password", "ClientId")]
        reference = asked.findtext("OrderId") or ""
        if not is_same("\n".join(given), "\n".join(known)):
            return _refused(reference, "Authentication failed.")
        if asked.findtext("Extra/ORDERSTATUS") != "QUERY":
            return _refused(reference, "Only ORDERSTATUS QUERY is known here.")
        charge = self._books.find(reference, self.name)
        if charge is None:
            return _refused(reference, f"No record found for {reference}")
        return _status_of(charge, self._books.asked(charge))


def _parsed(text: str) -> ElementTree.Element | None:
    if "<!" in text:  # Entities are nobody's business here.
        return None
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None
    return root if root.tag == "CC5Request" else None


def _status_of(charge: Charge, state: State) -> HttpAnswer:
    made = charge.latest if state is not State.PENDING else None
    extra = {
        "ORD_ID": charge.reference,
        "CHARGE_TYPE_CD": "S",
        "ORIG_TRANS_AMT": str(made.amount_minor if made else charge.due_minor),
        "CAPTURE_AMT": str(made.captured_minor if made else 0),
        "TRANS_STAT": STATUS[state],
        "AUTH_CODE": made.provider_reference[2:8] if made and state is not State.FAILED else "",
        "HOST_REF_NUM": made.provider_reference[2:14] if made else "",
        "PROC_RET_CD": "51" if state is State.FAILED else "00" if made else "",
    }
    told = "\t".join(f"{name}:{value}" for name, value in extra.items())
    said = {
        "ErrMsg": f"Record(s) found for {charge.reference}",
        "ProcReturnCode": "00",
        "Response": "Approved",
        "OrderId": charge.reference,
        "TransId": made.provider_reference if made else "",
    }
    return _xml(said, extra | {"ORDERSTATUS": told, "NUMCODE": "0"})


def _refused(reference: str, why: str) -> HttpAnswer:
    said = {"ErrMsg": why, "ProcReturnCode": "99", "Response": "Error"}
    return _xml(said | {"OrderId": reference, "TransId": ""}, {"NUMCODE": "0"})


def _xml(said: dict[str, str], extra: dict[str, str]) -> HttpAnswer:
    root = ElementTree.Element("CC5Response")
    for name, value in said.items():
        ElementTree.SubElement(root, name).text = value
    inner = ElementTree.SubElement(root, "Extra")
    for name, value in extra.items():
        ElementTree.SubElement(inner, name).text = value
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return HttpAnswer(200, (("Content-Type", "text/xml; charset=utf-8"),), body)
