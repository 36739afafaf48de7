"""The official Python SDK as judge: replays a history of our C worker against the same workflow
written in Python.

    judge.py WORKFLOW HISTORY      WORKFLOW: CoffeeOrder, Versioned, WrongOrder, WrongVersioned

HISTORY is a packed temporal.api.history.v1.History; tests/helpers/temporal/replay_judge.py says the rest."""
import asyncio
from datetime import timedelta
from typing import Sequence

import temporalio.common
from temporalio import workflow

NOTIFY = {"start_to_close_timeout": timedelta(seconds=5)}


class Signals:
    def __init__(self):
        self.came = set()

    @workflow.signal(dynamic=True)
    async def on(self, name: str, args: Sequence[temporalio.common.RawValue]) -> None:
        self.came.add(name)

    async def wait(self, name, ms=None):
        try:
            limit = timedelta(milliseconds=ms) if ms else None
            await workflow.wait_condition(lambda: name in self.came, timeout=limit)
            return True
        except asyncio.TimeoutError:
            return False


@workflow.defn(name="CoffeeOrder")
class CoffeeOrder(Signals):
    @workflow.run
    async def run(self, order: dict) -> dict:
        await workflow.execute_activity("NotifyBarista", order, **NOTIFY)
        if not await self.wait("accepted", order.get("accept_ms", 300000)):
            await workflow.execute_activity("CancelAndRefund", order, **NOTIFY)
            return {"status": "refunded", "why": "not accepted"}
        await workflow.execute_activity("MarkPreparing", order, **NOTIFY)
        await self.wait("ready")
        await workflow.execute_activity("NotifyReady", order, **NOTIFY)
        await self.wait("picked_up", order.get("pickup_ms", 1800000))
        await workflow.execute_activity("Complete", order, **NOTIFY)
        return {"status": "completed"}


@workflow.defn(name="CoffeeOrder")
class WrongOrder(Signals):
    @workflow.run
    async def run(self, order: dict) -> None:
        await workflow.execute_activity("MarkPreparing", order, **NOTIFY)


@workflow.defn(name="Versioned")
class Versioned(Signals):
    @workflow.run
    async def run(self, order: dict) -> str:
        thanks = workflow.patched("thanks")
        if thanks:
            await workflow.execute_activity("SumRevenue", {}, **NOTIFY)
        await workflow.execute_activity("CountOrders", {}, **NOTIFY)
        await self.wait("go")
        return "with thanks" if thanks else "without"


@workflow.defn(name="Versioned")
class WrongVersioned(Signals):
    @workflow.run
    async def run(self, order: dict) -> str:
        await workflow.execute_activity("SumRevenue", {}, **NOTIFY)
        await workflow.execute_activity("CountOrders", {}, **NOTIFY)
        await self.wait("go")
        return "always with thanks"


if __name__ == "__main__":  # the SDK imports this file once more, in its sandbox
    import replay_judge  # beside it by PYTHONPATH
    replay_judge.main(globals())
