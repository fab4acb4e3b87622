"""The month, day by day: buyers in the morning, artisans after noon, files and paydays at night."""

from collections.abc import Callable

from chalicelib.edge.auth import artisan_id_of
from infra.month.aftersales import AfterSales
from infra.month.paydays import Paydays
from infra.month.plan import planned
from infra.month.provider_days import ProviderDays
from infra.month.sales import Buyers, Sale
from infra.month.world import World

MINUTE, HOUR, DAY_SECONDS = 60, 3600, 24 * 3600
LATE_SECONDS = 50 * MINUTE
NOON_SECONDS = 5 * HOUR
WEEK = 7
SUSPENDED_ON = 10
DAYS_AFTER = 3  # of days without new orders, until what was bought last is with a provider's file
QUARTER_SECONDS = 16 * MINUTE
Step = Callable[[str, int], None]


class Market:
    """Plays the month; `step(what, how_many)` is told as orders are placed and days end."""

    def __init__(
        self, world: World, order_count: int, days: int, seed: int, step: Step = lambda *_: None
    ) -> None:
        self.world = world
        self.orders = planned(order_count, days, seed)
        self.days = days
        self.step = step
        self.sales: list[Sale] = []
        self.buyers = Buyers(world)
        self.after = AfterSales(world, self.buyers, seed)
        self.files = ProviderDays(world, seed)
        self.paydays = Paydays(world, seed)
        self.suspended = ""

    @property
    def step_count(self) -> int:
        return len(self.orders) + self.days + DAYS_AFTER

    @property
    def payment_ids(self) -> list[str]:
        return [name for sale in self.sales for name in sale.payment_ids]

    def run(self) -> None:
        for day in range(self.days + DAYS_AFTER):
            self._day(day)
            self.step(f"day {day + 1}", 1)
        self._close()

    def _day(self, day: int) -> None:
        world = self.world
        self._morning(day)
        world.let_pass(LATE_SECONDS)
        self._late_payers(day)
        world.let_pass(NOON_SECONDS)
        if day == SUSPENDED_ON:
            self._suspend_somebody()
        self.after.run_day(day)
        self.paydays.run_day(day)
        world.let_pass(QUARTER_SECONDS)
        self.files.evening(day, self.payment_ids)
        if day % WEEK == WEEK - 1:
            self.paydays.payday(day)
        spent = LATE_SECONDS + NOON_SECONDS + QUARTER_SECONDS
        world.let_pass(DAY_SECONDS - spent)

    def _morning(self, day: int) -> None:
        """Orders are placed and paid."""
        for plan in self.orders:
            if plan.day == day:
                sale = self.buyers.buy(plan)
                self.sales.append(sale)
                self.after.plan(sale)
                self.buyers.pay(sale)
                self.step(f"day {day + 1}", 1)
        self.world.drain()

    def _late_payers(self, day: int) -> None:
        for sale in self.sales:
            if sale.plan.day == day and sale.plan.story == "paid_late":
                self.world.press(sale.payment_ids[0])

    def _suspend_somebody(self) -> None:
        """Whoever is not verified any more keeps their money, and is not paid until they are."""
        sellers = [sale.plan.seller for sale in self.sales if sale.plan.in_person]
        if sellers:
            self.suspended = artisan_id_of(sellers[-1])
            path = f"/v1/operator/artisans/{self.suspended}/suspend"
            self.world.call("POST", path, self.world.operator, body={"reason": "papers expired"})

    def _close(self) -> None:
        """The last files, the last answers of the rails; then three sweeps to rest."""
        last = max(self.days + DAYS_AFTER, self.paydays.last_day)
        self.paydays.run_day(last)
        self.files.evening(last, self.payment_ids, last=True)
        for _ in range(3):
            self.after.run_day(last)
            self.world.let_pass(2 * HOUR)
