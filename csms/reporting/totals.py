import asyncio
from datetime import timedelta
class Totaller:
    def __init__(self, services, reports): self.s, self.r = services, reports
    async def run(self):
        while True:
            if not await self.r.recompute(self.s.now(), grace=timedelta(seconds=self.s.settings.reporting.grace_s)):
                await asyncio.sleep(2)
