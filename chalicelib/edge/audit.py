"""The operators' audit trail: who asked for what, written before it is done."""

from chalicelib import clock, ids
from chalicelib.edge import tables
from chalicelib.edge.observability import request_id


def record(operator: str, method: str, path: str, raw_body: bytes) -> None:
    """Keep that an operator calls; written first, so that nothing is done untraced.

    Of the body only a digest is kept: it may hold personal data.
    """
    at = clock.to_text(clock.now())
    tables.keep_audit(
        tables.AuditTable(
            at[:10],
            f"{at}#{request_id.get() or ids.new_id('req')}",
            operator=operator,
            method=method,
            path=path,
            body_digest=ids.fingerprint(raw_body),
        )
    )
