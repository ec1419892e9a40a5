"""Weather from Open-Meteo, kept by cell and hour: activities of one place and day share it.

What is missing is for whoever calls to know (surroundings.py asks the snapshot). Nothing here is
fatal: what does not come stays pending, and the next run asks for it.
"""

import contextlib
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tracklake import error_classes, quarantine
from tracklake.budget import Budget, Limit, patiently
from tracklake.client import Answer, Ask, Client
from tracklake.config import Settings
from tracklake.enrichments import weather_pages
from tracklake.enrichments.weather_pages import (
    Landing,
    days_of,
    item,
    item_id,
    read_again,
    recover,
)
from tracklake.errors import BudgetSpent, InvalidData, SourceError, Transient
from tracklake.session import Phase, SyncSession
from tracklake.stages import EnrichOptions, WeatherReport
from tracklake.upstream.breaker import Breaker, Failures
from tracklake.upstream.memory import Memory
from tracklake.weather import answers
from tracklake.weather.bundles import Bundle, CellDay, Span, bundles

NAME = "weather"
SOURCE = weather_pages.SOURCE
ENTITY = weather_pages.ENTITY
# Free for non-commercial use; https://open-meteo.com/en/pricing.
LIMITS = (
    Limit(kind="weighted", window_s=60, most=600),
    Limit(kind="weighted", window_s=3600, most=5000),
    Limit(kind="weighted", window_s=86_400, most=10_000),
)
_LONGEST_WAIT_S = 80.0  # for the next minute; an hour or a day is for the next run
_CROWDED_WAIT_S = 5.0
_TRIES = 3
_MOST_REFUSALS = 3  # of one call
_MOST_REFUSED_IN_A_ROW = 10  # then it is not the places: the rest is spared call and quarantine


def enrich(
    session: SyncSession, options: EnrichOptions, wanted: Sequence[CellDay]
) -> WeatherReport:
    """Fetch days of weather, as far as quota and service let it; what came lands in bronze."""
    recovered = recover(session, set(wanted)) | read_again(session)
    given_up = options.everything or options.given_up
    aside = quarantine.resting(session, SOURCE, given_up=given_up)
    days = [day for day in wanted if day not in recovered and item_id(day) not in aside]
    planned = bundles(days)
    report = WeatherReport(wanted=len(days), calls_planned=len(planned), is_plan=options.dry_run)
    if options.dry_run or not planned:
        return report
    budget = Budget(session.state, SOURCE, LIMITS, session.clock)
    with (
        session.phase(NAME, len(days)) as phase,
        contextlib.closing(Client(session.clock)) as client,
    ):
        landing = Landing(session)
        fetching = _Fetching(
            session, phase, client, budget, landing, report, options.max_calls, frozenset(days)
        )
        fetching.run(planned)
        phase.detail = report.summary()
    return report


def _url(settings: Settings, service: str) -> str:
    return {
        "archive": settings.open_meteo_archive_url,
        "forecast": settings.open_meteo_forecast_url,
        "historical_forecast": settings.open_meteo_historical_forecast_url,
    }[service]


@dataclass(slots=True)
class _Fetching:
    """Bundles on their way."""

    session: SyncSession
    phase: Phase
    client: Client
    budget: Budget
    landing: Landing
    report: WeatherReport
    most_calls: int | None
    wanted: frozenset[CellDay]
    _failures: Failures = field(init=False)
    _refused: int = 0
    _came: bool = False
    _later: list[Bundle] = field(default_factory=list)
    _aside: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._failures = Failures(Breaker(self.session, SOURCE, "Open-Meteo"))

    def run(self, planned: Iterable[Bundle]) -> None:
        """Fetch one after the other; whatever stops it, what came is made use of."""
        self._aside = set(quarantine.entered(self.session, SOURCE))
        try:
            for bundle in planned:
                self._one(bundle)
            self._look_closer()
        except BudgetSpent as parked:
            self.report.parked = parked
        except SourceError as error:
            self._note_failure(error)
            self._failures.forgive()
        if not self._came:  # it may be the service: what failed is due again
            self._failures.forgive()
        self._count_failed()
        self._memory.write("failed", self.session.now_text() if self._later else None)
        self.landing.seal()

    def _note_failure(self, error: SourceError) -> None:
        self.report.failed = f"{error}; it stays pending, a later run tries again"
        error_class = error_classes.of(error)
        self.session.log.warning("weather_failed", error=str(error), error_class=error_class)

    def _one(self, bundle: Bundle) -> None:
        asked_at = self.session.clock.now()
        try:
            answer = self._answered(bundle)
        except Transient as error:
            self._fail(bundle, error)
            return
        except InvalidData as error:
            self._refuse(bundle.spans, bundle.service, error)
            return
        self._came = True
        if answer.status == 200:
            self._refused = 0
            refused = self.landing.take(bundle, answer.body, asked_at)
            self._count_failed()
            for span, why in refused:
                self._refuse((span,), bundle.service, why, self.landing.folder)
            gone = {span for span, _ in refused}
            self._count([span for span in bundle.spans if span not in gone], bundle.service)
        elif answer.status == 400:
            self._count_failed()
            self._not_accepted(bundle, answer)
        else:
            said = answers.reason(answer.body) or "no reason"
            raise SourceError(f"Open-Meteo answered {answer.status}: {said}")

    def _fail(self, bundle: Bundle, error: Transient) -> None:
        """Set aside what fails alone; of several find by halves which it is.

        Not before something came, in this run or the last: it may be the service.
        """
        if len(bundle.spans) > 1 and (self._came or self._memory.read("failed")):
            self._halve(bundle)
            return
        self._note_failure(SourceError(f"Open-Meteo fails: {error}"))
        if len(bundle.spans) > 1:
            self._later.append(bundle)
            return
        for day in self._days(bundle.spans[0], bundle.service):
            self._failures.add(item(self.session, day, "not_answered", str(error)), error)

    def _look_closer(self) -> None:
        """Halve what failed before anything came; where nothing did, the next run may."""
        if self._came:
            self.report.failed = ""
        while self._came and self._later:
            self._halve(self._later.pop())

    def _halve(self, bundle: Bundle) -> None:
        for half in bundle.halves():
            self._one(half)

    @property
    def _memory(self) -> Memory:
        return Memory(self.session, SOURCE)

    def _count_failed(self) -> None:
        """Count what failed by itself, for something came after it."""
        if count := self._failures.clear():
            self.report.quarantined += count
            self.phase.advance(errors=count)

    def _not_accepted(self, bundle: Bundle, answer: Answer) -> None:
        """One place that is not accepted spoils the call: find it by halves."""
        if len(bundle.spans) > 1:
            self._halve(bundle)
            return
        said = answers.reason(answer.body) or "no reason"
        error = InvalidData(f"Open-Meteo does not accept it: {said}", reason="refused")
        self._refuse(bundle.spans, bundle.service, error)
        self._refused += 1
        if self._refused >= _MOST_REFUSED_IN_A_ROW:
            raise SourceError(f"Open-Meteo accepts nothing: {said}")

    def _answered(self, bundle: Bundle) -> Answer:
        """Return the first answer that is no 429; a window that is used up is waited for, or
        raised as BudgetSpent.
        """
        url = _url(self.session.settings, bundle.service)
        for _ in range(_MOST_REFUSALS):
            ask = Ask(url=url, params=bundle.params(), tries=_TRIES)
            answer = self._failures.breaker.send(
                ask,
                lambda asked: self.client.send(
                    asked, admit=lambda: self._admit(bundle), heed=self._heed
                ),
            )
            if answer.status != 429:
                return answer
            said = answers.reason(answer.body)
            self.session.log.warning("rate_limited", service=bundle.service, reason=said)
            if answers.refused_window_s(answer.body) is None:
                self.session.clock.sleep(_CROWDED_WAIT_S)
        raise SourceError(f"Open-Meteo refuses: {said or 'too many requests'}")

    def _admit(self, bundle: Bundle) -> None:
        now = self.session.clock.now
        if self.most_calls is not None and self.report.calls >= self.most_calls:
            raise BudgetSpent(f"stopped after {self.report.calls} calls (--max-calls)", until=now())
        patiently(
            self.budget,
            self.session.clock,
            longest_s=_LONGEST_WAIT_S,
            calls=bundle.cost,
            waiting=self._waiting,
        )()
        self.report.calls += 1
        self.phase.calls += 1
        self.report.cost += bundle.cost

    def _heed(self, answer: Answer) -> None:
        """Let the budget know; that too many ask at once shuts no window."""
        window_s = answers.refused_window_s(answer.body) if answer.status == 429 else None
        if answer.status != 429 or window_s is not None:
            self.budget.heed(answer, shut_s=window_s)

    def _waiting(self, until: dt.datetime) -> None:
        self.phase.note(f"waiting for Open-Meteo's quota until {until:%H:%M:%S} UTC")

    def _days(self, span: Span, service: str) -> list[CellDay]:
        """Return the days of a span that were wanted."""
        return [day for day in days_of(span, service) if day in self.wanted]

    def _count(self, spans: Iterable[Span], service: str) -> None:
        days = [day for span in spans for day in self._days(span, service)]
        for day in days:
            if item_id(day) in self._aside:
                quarantine.release(self.session.state, item_id(day), self.session.athlete)
        self.report.fetched += len(days)
        self.phase.advance(len(days))

    def _refuse(
        self, spans: Iterable[Span], service: str, error: InvalidData, folder: Path | None = None
    ) -> None:
        """Set days aside. folder: where an answer lies that cannot be read."""
        for day in (day for span in spans for day in self._days(span, service)):
            why = error.reason, str(error)
            quarantine.set_aside(self.session, item(self.session, day, *why, folder))
            self.report.quarantined += 1
            self.phase.advance(errors=1)
