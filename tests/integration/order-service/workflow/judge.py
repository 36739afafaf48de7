"""The official Python SDK as judge of orders: replays histories of our C worker against the same
workflow, written in Python.

    judge.py WORKFLOW HISTORY...      WORKFLOW: CoffeeOrder, WrongOrder

A HISTORY is a packed temporal.api.history.v1.History; tests/helpers/temporal/replay_judge.py says the rest."""
import asyncio
from datetime import timedelta
from typing import Sequence

import temporalio.common
from temporalio import workflow
from temporalio.exceptions import ActivityError

LIMITS = {"start_to_close_timeout": timedelta(seconds=20)}
FINAL = ("completed", "cancelled")
DEADLINES = {"placed": "acceptBy", "ready": "collectBy"}


class Order:
    def __init__(self):
        self.inbox, self.now, self.capture, self.captured = [], {}, None, False
        self.told_seq, self.least_wait_ms, self.was_cancelled = 0, 0, False

    @workflow.signal(dynamic=True)
    def on(self, name: str, args: Sequence[temporalio.common.RawValue]) -> None:
        del name
        self.inbox.append(workflow.payload_converter().from_payload(args[0].payload, dict))

    def hear(self, news):
        self.now["pays"] = self.now["pays"] or news["pays"]
        if news["seq"] <= self.now["seq"]:
            return False
        self.now = {**news, "pays": self.now["pays"], "keepsUncollected": self.now["keepsUncollected"]}
        self.least_wait_ms = 0
        return True

    async def do(self, activity, order=None):
        return await workflow.execute_activity(activity, order or self.now, **LIMITS)

    async def tell(self, whom):
        try:
            await self.do(whom)
        except ActivityError:
            pass

    async def take_the_money(self):
        try:
            await self.do("CapturePayment")
            self.captured = True
        except ActivityError:
            await self.do("StopOrder", {**self.now, "reason": "payment_failed"})

    def begin_what_is_due(self):
        if self.now["pays"] and self.now["status"] != "placed" and not self.capture:
            self.capture = asyncio.create_task(self.take_the_money())
        if self.now["status"] == "ready" and self.now["seq"] != self.told_seq:
            self.told_seq = self.now["seq"]
            asyncio.create_task(self.tell("NotifyCustomer"))

    async def wait_for_news(self):
        deadline = self.now.get(DEADLINES.get(self.now["status"]), 0)
        while True:
            while self.inbox:
                if self.hear(self.inbox.pop(0)):
                    return True
            if not deadline:
                await workflow.wait_condition(lambda: bool(self.inbox))
                continue
            left_ms = max(deadline - int(workflow.now().timestamp() * 1000), self.least_wait_ms)
            if left_ms <= 0:
                return False
            try:
                await workflow.wait_condition(lambda: bool(self.inbox), timeout=timedelta(milliseconds=left_ms))
            except asyncio.TimeoutError:
                return False

    async def go_on(self):
        self.begin_what_is_due()
        try:
            if not await self.wait_for_news() and not self.hear(await self.do("ExpireOrder")):
                self.least_wait_ms = 1000
        except asyncio.CancelledError:
            self.was_cancelled = True
            self.hear(await self.do("StopOrder", {**self.now, "reason": "workflow_cancelled"}))

    async def settle(self):
        is_sold = self.now["status"] == "completed" or (
            self.now["keepsUncollected"] and self.now["reason"] == "not_collected")
        if is_sold and not self.capture:
            self.capture = asyncio.create_task(self.take_the_money())
        if self.capture:
            await self.capture
        if is_sold and self.captured:
            return "captured"
        await self.do("ReturnPayment")
        return "refused" if is_sold else "returned"

    async def live(self, order):
        self.now = order
        asyncio.create_task(self.tell("NotifyBarista"))
        while self.now["status"] not in FINAL:
            await self.go_on()
        paid = await self.settle() if self.now["pays"] else "none"
        if self.now["status"] == "cancelled":
            await self.tell("NotifyCustomer")
        if self.was_cancelled:
            raise asyncio.CancelledError
        return {"status": self.now["status"], "reason": self.now["reason"], "payment": paid}


@workflow.defn(name="CoffeeOrderWorkflow")
class CoffeeOrder(Order):
    @workflow.run
    async def run(self, order: dict) -> dict:
        return await self.live(order)


@workflow.defn(name="CoffeeOrderWorkflow")
class WrongOrder(Order):
    @workflow.run
    async def run(self, order: dict) -> dict:
        await workflow.execute_activity("CapturePayment", order, **LIMITS)
        return await self.live(order)


if __name__ == "__main__":  # the SDK imports this file once more, in its sandbox
    import replay_judge  # beside it by PYTHONPATH
    replay_judge.main(globals())
