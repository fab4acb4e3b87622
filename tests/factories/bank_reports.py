"""Banks' reports, element by element, for tests."""

from typing import Any

CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def an_entry(
    minor: int = 22_054,
    sign: str = "DBIT",
    *,
    end_to_end: str = "",
    returned: str = "",
    status: str = "<Sts><Cd>BOOK</Cd></Sts>",
    reference: str = "B-1",
    details: str | None = None,
    currency: str = "MAD",
) -> str:
    if details is None:
        back = f"<RtrInf><Rsn><Cd>{returned}</Cd></Rsn></RtrInf>" if returned else ""
        own = f"<EndToEndId>{end_to_end}</EndToEndId>" if end_to_end else ""
        details = f"<NtryDtls><TxDtls><Refs>{own}</Refs>{back}</TxDtls></NtryDtls>"
    return (
        f'<Ntry><Amt Ccy="{currency}">{minor // 100}.{minor % 100:02d}</Amt>'
        f"<CdtDbtInd>{sign}</CdtDbtInd>{status}<BookgDt><Dt>2026-07-01</Dt></BookgDt>"
        f"<AcctSvcrRef>{reference}</AcctSvcrRef>{details}</Ntry>"
    )


def a_camt(*entries: str, kind: str = "BkToCstmrStmt", namespace: str = CAMT) -> bytes:
    part = "Stmt" if kind == "BkToCstmrStmt" else "Ntfctn"
    return (
        f'<Document xmlns="{namespace}"><{kind}><GrpHdr><MsgId>M1</MsgId></GrpHdr>'
        f"<{part}><Id>S1</Id>{''.join(entries)}</{part}></{kind}></Document>"
    ).encode()


def a_status(own_id: str, status: str, minor: int | None = 22_054, reason: str = "") -> str:
    amount = ""
    if minor is not None:
        text = f"{minor // 100}.{minor % 100:02d}"
        amount = f'<OrgnlTxRef><Amt><InstdAmt Ccy="MAD">{text}</InstdAmt></Amt></OrgnlTxRef>'
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{own_id}</OrgnlEndToEndId>"
        f"<TxSts>{status}</TxSts>{why}{amount}</TxInfAndSts>"
    )


def a_pain002(*statuses: str, message_id: str = "pbt-x", **whole: Any) -> bytes:
    """`group` or `block`: the status of the whole file, or of a block of it."""
    group = f"<GrpSts>{whole['group']}</GrpSts>" if "group" in whole else ""
    block = ""
    if statuses or "block" in whole:
        said = f"<PmtInfSts>{whole['block']}</PmtInfSts>" if "block" in whole else ""
        own = f"<OrgnlPmtInfId>{message_id}-1</OrgnlPmtInfId>"
        block = f"<OrgnlPmtInfAndSts>{own}{said}{''.join(statuses)}</OrgnlPmtInfAndSts>"
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>P1</MsgId></GrpHdr><OrgnlGrpInfAndSts>"
        f"<OrgnlMsgId>{message_id}</OrgnlMsgId>{group}</OrgnlGrpInfAndSts>{block}"
        "</CstmrPmtStsRpt></Document>"
    ).encode()
