"""The front door: builds the Chalice app and mounts one blueprint per feature."""

from chalice import Chalice

from chalicelib.artisans.api import artisans
from chalicelib.edge.replies import PDF
from chalicelib.edge.system import system
from chalicelib.ledger.api import ledger
from chalicelib.ledger.consumers import ledger_events
from chalicelib.listings.api import listings
from chalicelib.notifications.consumers import notification_events
from chalicelib.orders.api import orders
from chalicelib.orders.consumers import order_events
from chalicelib.payments.api import payments
from chalicelib.payments.artisan_api import artisan_payments
from chalicelib.payments.callback_api import callbacks
from chalicelib.payments.consumers import payment_events
from chalicelib.payments.link_api import payment_links
from chalicelib.payments.operator_api import operator_payments
from chalicelib.payouts.api import payouts
from chalicelib.payouts.consumers import payout_events
from chalicelib.payouts.statement_api import statement_routes
from chalicelib.regions.api import regions
from chalicelib.settlement.api import settlement
from chalicelib.settlement.breaks_api import break_routes
from chalicelib.settlement.consumers import settlement_events
from chalicelib.settlement.held_api import held_money
from chalicelib.stock.consumers import stock_events
from chalicelib.terms.api import terms

app = Chalice(app_name="maalem")
app.api.binary_types.append(PDF)
for blueprint in (
    system,
    regions,
    artisans,
    listings,
    stock_events,
    terms,
    orders,
    order_events,
    payments,
    artisan_payments,
    callbacks,
    operator_payments,
    payment_links,
    payment_events,
    ledger,
    ledger_events,
    settlement,
    break_routes,
    settlement_events,
    held_money,
    payouts,
    payout_events,
    statement_routes,
    notification_events,
):
    app.register_blueprint(blueprint)
