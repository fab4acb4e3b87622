"""The local stack for the throughput: eight listings, and a pump that delivers when it is told."""

import http.client
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.local.aws import LocalAws
from infra.local.dynamodb_local import DynamoDbLocal
from infra.local.environment import read_settings, set_app_environment
from infra.local.gateway import Gateway
from infra.local.identity import UserPool
from infra.local.pump import Pump
from infra.local.server import LocalServer
from infra.local.stack import declare_template

REGION = "MA-03"  # live in the demo

Say = Callable[[str], object]


class Market:
    """What `make run` starts, but for the demo, the bank and the deliveries in the background."""

    def __init__(self, say: Say) -> None:
        """
        Raises:
            CannotStart: in one sentence, why not.
        """
        # No port is read: the server takes a free one.
        given = read_settings("8000", os.environ)
        say("Starting the local stack")
        self._aws = LocalAws().start()
        self._database: DynamoDbLocal | None = None
        if given.on_dynamodb_local:
            self._database = DynamoDbLocal(Path(given.data_folder), in_memory=True)
            self._aws.use_dynamodb(self._database.start(say))
        self._server = LocalServer(0, lambda request: self._gateway.answer(request))
        set_app_environment(self._server.url)
        UserPool().export()
        declare_template(self._aws)
        from app import app  # Its models make clients: after moto has started.

        self._gateway = Gateway(app)
        self.pump = Pump(app, self._aws)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def database(self) -> str:
        return "moto" if self._database is None else "DynamoDB Local"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._database is not None:
            self._database.stop()

    def connect(self) -> http.client.HTTPConnection:
        host, port = self._server.server_address[:2]
        return http.client.HTTPConnection(str(host), port, timeout=30)

    def open_shop(self, pieces: Sequence[int]) -> list[str]:
        """Empty all tables; then a listing of the demo's for each count, with so many pieces."""
        from chalicelib.edge import caching
        from chalicelib.listings import tables as listing_tables
        from chalicelib.stock import service as stock
        from infra.demo import load
        from infra.demo.catalogue import demo_artisans, demo_listings

        self._aws.reset()
        self.pump.rewind()
        caching.forget_everything()
        load._open_regions()
        sellers = {demo.subject: demo for demo in demo_artisans() if demo.region == REGION}
        shown = (demo for demo in demo_listings() if demo.status == "published")
        listings = [
            load._listing(demo, sellers[demo.artisan_subject])
            for demo in shown
            if demo.artisan_subject in sellers
        ][: len(pieces)]
        listing_tables.add_many(listings)
        names = [listing.listing_id for listing in listings]
        for listing_id, count in zip(names, pieces, strict=True):
            stock.set_on_hand(listing_id, count)
        return names
