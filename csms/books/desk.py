"""One desk for all documents, whoever asks: the API, the command line, schedules. Knows no rights.

Whoever makes a file takes a turn first: how many there may be at once is heeded where people ask.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from datetime import timedelta
from functools import partial

from csms.books.exporting import PAGE, Export, Look, parts_of, records_of, stream, temporary_file
from csms.books.fields import Language
from csms.books.receipt import Receipts
from csms.books.statement import Statement, Statements
from csms.books.statement_book import write_statement
from csms.config import Settings
from csms.config_documents import DocumentSettings
from csms.store.assets import AssetStore
from csms.store.audit_queries import AuditFilter
from csms.store.billing_reads import BillReads
from csms.store.command_queries import CommandDesk
from csms.store.database import Database
from csms.store.order_pages import OrderPages
from csms.store.reports import ReportStore, TotalFilter
from csms.store.sessions import SessionFilter, SessionStore
from csms.store.tariffs import TariffStore


class Desk:
    """Makes documents. Every query raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.settings: DocumentSettings = settings.documents
        self._sessions = SessionStore(database)
        self._reports = ReportStore(database)
        self._orders = OrderPages(database, [one.name for one in settings.reporting.platforms])
        self._audit = CommandDesk(database)
        self.reads = BillReads(database)
        assets, closes = AssetStore(database), timedelta(hours=self.settings.statement_closes_h)
        self.statements = Statements(self.reads, assets, closes)
        self.receipts = Receipts(self.reads, TariffStore(database), assets, self.settings.time_zone)
        # What a page's rows become is made on the loop: ten milliseconds at a time.
        self._page = min(PAGE, settings.http.page_limit)
        self._running = 0

    @property
    def has_room(self) -> bool:
        """Whether one more file may be made now."""
        return self._running < self.settings.exports_at_once

    @property
    def running(self) -> int:
        """Files that are being made."""
        return self._running

    def sessions(self, wanted: SessionFilter) -> Export:
        """Sessions, newest first."""
        return Export("sessions", partial(self._sessions.find, wanted), self._page)

    def totals(self, wanted: TotalFilter) -> Export:
        """Totals, by start."""
        return Export("totals", partial(self._reports.totals, wanted), self._page)

    def orders(self, wanted: SessionFilter) -> Export:
        """What was billed and told, newest session first."""
        return Export("orders", partial(self._orders.find, wanted), self._page)

    def audit(self, wanted: AuditFilter) -> Export:
        """The audit log, latest first."""
        return Export("audit", partial(self._audit.audited, wanted), self._page)

    async def stream(self, export: Export, look: Look) -> AsyncGenerator[bytes, None]:
        """An export as a file, in parts."""
        async with aclosing(stream(export, look)) as parts:
            async for part in parts:
                yield part

    async def statement_book(self, made: Statement, language: Language) -> AsyncGenerator[bytes, None]:
        """A statement as a workbook, in parts."""
        find = partial(self.reads.lines, made.month)
        async with temporary_file() as file, aclosing(records_of(find, self._page)) as lines:
            await write_statement(file, made.shown, lines, language)
            async for part in parts_of(file):
                yield part

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One file is being made."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
