"""A database that goes away now and then, and sometimes loses the word about a commit that it made."""

from collections.abc import Callable
from random import Random
from typing import TypeVar

from csms.errors import StoreUnavailable
from csms.store.database import InlineDatabase, Job

T = TypeVar("T")


class UnsteadyDatabase(InlineDatabase):
    """Real SQL, inline. Away while `away` says so; `lost_words` is the share of commits nobody hears of."""

    def __init__(self, rng: Random, time: Callable[[], float]) -> None:
        super().__init__()
        self._rng, self._time = rng, time
        self.failed_at: list[float] = []
        """When somebody was let down."""
        self.away: Callable[[], bool] = lambda: False
        self.lost_words = 0.0

    async def run(self, job: Job[T]) -> T:
        """As the real one does, or not at all, or without being able to say so."""
        self._be_there()
        done = await super().run(job)
        if self.lost_words and self._rng.random() < self.lost_words:
            self.failed_at.append(self._time())
            raise StoreUnavailable("the connection broke at the commit")
        return done

    async def look(self, job: Job[T]) -> T:
        """As the real one does, or not at all."""
        self._be_there()
        return await super().look(job)

    def _be_there(self) -> None:
        if self.away():
            self.failed_at.append(self._time())
            raise StoreUnavailable("the database is away")
