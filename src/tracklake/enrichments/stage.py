"""Enrich: what is missing about known activities, newest first, as far as the budget allows.

Nothing here opens the warehouse: what is missing is known from the index, what comes lands in
bronze.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from types import ModuleType

from tracklake import enrichments, quarantine
from tracklake.budget import STRAVA, Budget, Cushion, forecast
from tracklake.enrichments import rereading
from tracklake.enrichments.batches import Batch, item_id
from tracklake.errors import (
    AuthError,
    BudgetSpent,
    Error,
    Interrupted,
    InvalidData,
    Transient,
)
from tracklake.pages import Page
from tracklake.session import Phase, SyncSession
from tracklake.stages import RESERVE, EnrichOptions, EnrichReport
from tracklake.strava import api
from tracklake.strava.records import SOURCE
from tracklake.upstream.breaker import Failures
from tracklake.upstream.calls import Calls
from tracklake.upstream.landings import index_of
from tracklake.upstream_index import UpstreamIndex, Wanted

_DAY_S = 86_400
_TRIES = 3  # of one item in one run
_DISPENSABLE = ("gear", "zones")  # they need a permission that may be missing alone

Task = tuple[Wanted, ModuleType]


def enrich(session: SyncSession, options: EnrichOptions) -> EnrichReport:
    """Fetch what is missing; a spent quota parks it, and the next run goes on there.

    With `dry_run` only the plan is made. Raises AuthError, SourceError.
    """
    report = EnrichReport()
    index = index_of(session, SOURCE)
    index.sync()
    batches = {
        module.NAME: Batch(session, index, module, options)
        for module in enrichments.modules(enrichments.ALL)
    }
    for batch in batches.values():
        batch.recover()
    rereading.read_set_aside(session, batches.values())
    tasks = plan(session, index, options)
    report.plan = dict(Counter(module.NAME for _, module in tasks))
    report.left = len(tasks)
    cushion = _cushion(options)
    budget = Budget(session.state, SOURCE, STRAVA, session.clock, cushion=cushion)
    report.finished_at = outlook(session, budget, report.left, cushion)
    report.is_plan = options.dry_run
    if options.dry_run or not tasks:
        return report
    with (
        session.phase("enrich", len(tasks)) as phase,
        api.connected(session, phase, cushion=cushion, most_calls=options.max_calls) as strava,
    ):
        strava.outlook = lambda: outlook(session, budget, report.left, cushion)
        phase.forecast = lambda: forecast(
            report.left, budget.windows(), session.clock.now(), cushion=cushion
        )
        fetching = _Fetching(session, strava, phase, batches, options, report)
        fetching.run(tasks)
        report.finished_at = outlook(session, budget, report.left, cushion)
        phase.detail = report.summary()
    return report


def plan(session: SyncSession, index: UpstreamIndex, options: EnrichOptions) -> list[Task]:
    """List what is to be fetched, newest activity first, details before points."""
    modules = enrichments.modules(options.only)
    tasks: list[Task] = []
    for module in modules:
        if options.ids:
            if module.HASH is not None:
                once = dict.fromkeys(options.ids)
                tasks += [(index.version(one, module.HASH), module) for one in once]
            continue
        tasks += [(wanted, module) for wanted in module.wanted(index, options)]
    if not options.ids:
        given_up = options.everything or options.given_up
        aside = quarantine.resting(session, SOURCE, given_up=given_up)
        tasks = [task for task in tasks if item_id(task[1].ENTITY, task[0].source_id) not in aside]
        if options.since_days is not None:
            since_s = session.clock.now().timestamp() - options.since_days * _DAY_S
            tasks = [task for task in tasks if task[0].start_s >= since_s]
    order = {module.NAME: number for number, module in enumerate(modules)}
    suspicion = quarantine.suspicion(session, SOURCE)
    return sorted(
        tasks,
        key=lambda task: (
            suspicion(item_id(task[1].ENTITY, task[0].source_id)),
            *(-task[0].start_s, task[0].source_id, order[task[1].NAME]),
        ),
    )


def _cushion(options: EnrichOptions) -> Cushion:
    return Cushion(short=options.cushion_15min, daily=options.cushion_daily, share=RESERVE)


def outlook(session: SyncSession, budget: Budget, calls: int, cushion: Cushion) -> str:
    """Say in words when so many calls will have been made; empty for none."""
    if calls == 0:
        return ""
    now = session.clock.now()
    moment = forecast(calls, budget.windows(), now, cushion=cushion)
    days = math.ceil((moment - now).total_seconds() / _DAY_S)
    pace = f" (in {days} days, at {calls_a_day(budget, cushion):,} calls a day)" if days > 1 else ""
    return f"done about {moment:%Y-%m-%d %H:%M} UTC{pace}"


def calls_a_day(budget: Budget, cushion: Cushion) -> int:
    """Return how many calls the quota lets us make in a day."""
    return min(
        (window.most - cushion.kept(window.window_s, window.most)) * (_DAY_S // window.window_s)
        for window in budget.windows()
    )


@dataclass(slots=True)
class _Fetching:
    """Tasks on their way."""

    session: SyncSession
    strava: Calls
    phase: Phase
    batches: dict[str, Batch]
    options: EnrichOptions
    report: EnrichReport
    _failures: Failures = field(init=False)
    _denied: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._failures = Failures(self.strava.breaker)

    def run(self, tasks: list[Task]) -> None:
        """Fetch one after the other; whatever stops it, what came is made use of."""
        try:
            for task in tasks:
                self._one(task)
        except BudgetSpent as parked:
            self.report.parked = parked
        except Interrupted:
            raise  # within seconds: the pages stay, the next run makes their shards
        except Error:  # what came is made use of; a defect of ours leaves it to the next run
            self._seal()
            raise
        finally:
            self.report.calls = self.strava.calls
        self._seal()

    def _seal(self) -> None:
        for batch in self.batches.values():
            batch.seal()

    def _one(self, task: Task) -> None:
        wanted, module = task
        batch = self.batches[module.NAME]
        request = module.request(wanted, self.options)
        if module.NAME in self._denied:
            self.report.left -= 1
            return
        try:
            answer = self.strava.get(request.path, request.params, tries=_TRIES)
        except AuthError as error:
            if module.NAME not in _DISPENSABLE:
                raise
            self._denied.add(module.NAME)  # a permission of its own, which was not granted
            self.report.left -= 1
            self.session.log.warning("enrichment_denied", name=module.NAME, error=str(error))
            return
        except (Transient, InvalidData) as error:
            self._fail(task, error)
            return
        self._failures.clear()
        fetched = batch.take(Page(wanted.source_id, answer.status, answer.body), wanted)
        self.report.left -= 1
        if fetched is None:
            self._count_failure()
            return
        quarantine.release(
            self.session.state, item_id(module.ENTITY, wanted.source_id), self.session.athlete
        )
        if answer.status == 200:
            self.report.fetched[module.NAME] = self.report.fetched.get(module.NAME, 0) + 1
        else:
            self.report.absent += 1
        self.phase.advance()

    def _fail(self, task: Task, error: Transient | InvalidData) -> None:
        """Set an item aside; raise SourceError if it is the service that fails."""
        wanted, module = task
        reason = error.reason if isinstance(error, InvalidData) else "not_answered"
        self.report.left -= 1
        self._count_failure()
        self._failures.add(self.batches[module.NAME].item(wanted, reason, str(error)), error)

    def _count_failure(self) -> None:
        self.report.quarantined += 1
        self.phase.advance(errors=1)
