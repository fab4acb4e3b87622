"""The front door: builds the Chalice app and mounts one blueprint per feature."""

from importlib import import_module

from chalice import Chalice

MOUNTED = (
    "chalicelib.edge.system:system",
    "chalicelib.regions.api:regions",
    "chalicelib.artisans.api:artisans",
    "chalicelib.listings.api:listings",
    "chalicelib.stock.consumers:stock_events",
    "chalicelib.orders.api:orders",
    "chalicelib.orders.consumers:order_events",
    "chalicelib.payments.api:payments",
    "chalicelib.payments.consumers:payment_events",
    "chalicelib.ledger.api:ledger",
    "chalicelib.settlement.api:settlement",
    "chalicelib.settlement.consumers:settlement_events",
    "chalicelib.payouts.api:payouts",
    "chalicelib.payouts.consumers:payout_events",
)

app = Chalice(app_name="maalem")
for entry in MOUNTED:
    module, _, name = entry.partition(":")
    try:
        app.register_blueprint(getattr(import_module(module), name))
    except ModuleNotFoundError as missing:  # while the rooms are being built; goes before landing
        if not str(missing.name).startswith("chalicelib."):
            raise
