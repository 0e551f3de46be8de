import asyncio
class Upkeep:
    def __init__(self, s): pass
    async def run(self): await asyncio.sleep(1e9)
