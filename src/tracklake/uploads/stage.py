"""Uploading: what is under way is brought to its end first, then what Strava lacks goes.

What that is, the warehouse says, in a Basis: it is not open while Strava is asked.

Before a file is sent, Strava's list of those days is looked at, because the pull may be older than
what the athlete's watch sent there meanwhile. A call that ends without an answer is not repeated:
it is looked for, and only what Strava does not list an hour later is sent again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tracklake.budget import Cushion
from tracklake.errors import AuthError, BudgetSpent, InvalidData, Transient
from tracklake.session import Phase, SyncSession
from tracklake.stages import RESERVE
from tracklake.strava import api, oauth, records
from tracklake.strava.checkpoints import Checkpoints
from tracklake.uploads import form, originals, replies
from tracklake.uploads.calls import Guard, UploadCalls
from tracklake.uploads.candidates import MAY_BE_THERE, Basis, File, Plan, State, plan
from tracklake.uploads.ledger import Entry, Ledger
from tracklake.uploads.looking import Lookout, Seen, name_of
from tracklake.uploads.replies import Reply
from tracklake.uploads.report import UploadOptions, UploadReport, shown

SCOPE = oauth.WRITE
SETTLED_S = 3_600.0  # after which Strava lists what came, or will not
_WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)  # between two questions; it takes 8 s on average
_LOOKS_S = (8.0, 16.0)
_UNDER_WAY: tuple[State, ...] = ("uploading", "processing")
_MOST_POSTS = 3
_MOST_FAILURES = 3  # in a row: then it is not about the file
_NEEDS_LOGIN = (
    f"the login at Strava lacks the permission {SCOPE}: set TRACKLAKE_UPLOAD=on, run `make auth` "
    "(tracklake auth strava) and leave the box about uploads ticked"
)


def obstacle(session: SyncSession) -> str | None:
    """Say why nothing can be decided yet; None where it can."""
    if Checkpoints(session, records.SOURCE).read("reconciled") is not None:
        return None
    return (
        "which activities Strava lacks is known only when its whole list was read to the end: run "
        "`make run-all` (tracklake pull --source strava --all) first"
    )


def upload(
    session: SyncSession, basis: Basis, options: UploadOptions, report: UploadReport
) -> None:
    """Upload what Strava lacks; a spent quota parks it, and the next run goes on there.

    basis: what the warehouse says. What came of it is in `report`, also of what failed midway. With
    `dry_run` nothing is asked of Strava. Raises ConfigError, AuthError, SourceError.
    """
    if options.name is not None:
        form.named(options.name, form.EXAMPLE)  # a mistake in it is said before anything is sent
    made = _planned(session, basis, options, report)
    if options.dry_run:
        report.planned = [shown(file) for file in made.files]
        report.stays = [(shown(outing), why) for outing, why in made.stays]
    elif made.files or Ledger(session).in_state(*_UNDER_WAY):
        _run(session, basis, options, report)
    else:
        _enter(session, made)


def _planned(
    session: SyncSession, basis: Basis, options: UploadOptions, report: UploadReport
) -> Plan:
    """Decide on every activity, as things stand."""
    now_s = session.clock.now().timestamp()
    made = plan(basis, Ledger(session).known(), options.wish, now_s)
    report.kept, report.left, report.decided = made.kept, len(made.files), True
    report.is_behind = basis.is_behind
    return made


def _enter(session: SyncSession, made: Plan) -> None:
    """Remember what is to go, and what Strava has: also when it is deleted and forgotten later."""
    ledger = Ledger(session)
    with session.state.transaction():
        for file in made.files:
            ledger.enter(file, "pending")
        for file, activity_id in made.there:
            ledger.enter(file, "there", activity_id=activity_id)


def _run(session: SyncSession, basis: Basis, options: UploadOptions, report: UploadReport) -> None:
    """Do it on one connection, within a phase."""
    cushion = Cushion(share=RESERVE)
    with (
        session.phase("upload") as phase,
        api.connected(session, phase, cushion=cushion, most_calls=options.max_calls) as strava,
    ):
        scope = api.tokens_of(session).scope
        if scope is not None and SCOPE not in scope.replace(",", " ").split():
            raise AuthError(_NEEDS_LOGIN)
        calls, ledger = UploadCalls(strava), Ledger(session)
        uploading = Uploading(session, phase, basis, calls, ledger, options, report)
        try:
            uploading.run()
        except BudgetSpent as parked:
            report.parked = parked
        except AuthError as error:
            raise AuthError(_NEEDS_LOGIN) if SCOPE in str(error) else error from None
        finally:
            report.calls = strava.calls
            uploading.count_open()
        phase.detail = report.summary()


@dataclass(slots=True)
class Uploading:
    """Files on their way, one after the other. failed: how many in a row.

    unsure: how many may be on Strava; wanted: hashes.
    """

    session: SyncSession
    phase: Phase
    basis: Basis
    calls: UploadCalls
    ledger: Ledger
    options: UploadOptions
    report: UploadReport
    failed: int = 0
    unsure: int = 0
    wanted: frozenset[str] = frozenset()
    lookout: Lookout = field(init=False)

    def __post_init__(self) -> None:
        """Sort what is needed for each file."""
        self.lookout = Lookout(self.basis)

    def run(self) -> None:
        """Bring to its end what is under way; decide anew, knowing that; then send."""
        under_way = self.ledger.in_state(*_UNDER_WAY)
        self.phase.expect(len(under_way) + self.report.left)
        for entry in under_way:
            self._each(partial(self._resume, entry))
        made = _planned(self.session, self.basis, self.options, self.report)
        _enter(self.session, made)
        self.phase.expect(len(under_way) + len(made.files))
        self.wanted = frozenset(file.file_sha256 for file in made.files)
        for file in made.files:
            self._each(partial(self._send, file))

    def count_open(self) -> None:
        """Say in the report what came to no end."""
        known = self.ledger.known()
        states = [past.state for past in known.values()]
        open_states = [known[sha256].state for sha256 in self.wanted]
        if self.wanted:
            self.report.left = open_states.count("pending") - self.unsure
        if self.unsure:
            self.report.keep(MAY_BE_THERE, self.unsure)
        self.report.processing = states.count("processing")
        self.report.doubtful = states.count("uploading")

    def _each(self, act: Callable[[], None]) -> None:
        """Let one that fails not stop the others, unless all do."""
        try:
            act()
            self.failed = 0
        except (Transient, InvalidData) as error:
            self.failed += 1
            self.report.errors += 1
            self.session.log.warning("upload_failed", error=str(error))
            self.phase.advance(errors=1)
            if self.failed >= _MOST_FAILURES:
                raise
        else:
            self.phase.advance()

    # ---- what is under way

    def _resume(self, entry: Entry) -> None:
        if entry.upload_id is not None and (known := self.calls.ask(entry.upload_id)) is not None:
            self._settle(entry.file_sha256, entry.external_id, self._awaited(known))
            return
        self._look_for(entry)

    def _look_for(self, entry: Entry) -> None:
        """Find out by looking what became of a file that was sent without an answer."""
        seen = self.calls.around(entry.start_s)
        if (activity_id := _named(seen, entry.external_id)) is not None:
            self._finish(entry.file_sha256, "done", activity_id)
            return
        sent_s = self.session.clock.now().timestamp() - (entry.posted_s or 0.0)
        if 0 <= sent_s < SETTLED_S:
            return
        if entry.posts >= _MOST_POSTS:
            message = f"sent {entry.posts} times, and Strava never had it"
            self._fail(entry.file_sha256, entry.external_id, message)
            return
        self.ledger.move(entry.file_sha256, "pending")  # it never came

    # ---- what goes

    def _send(self, file: File) -> None:
        content = originals.content(self.session.folders, file)
        body, content_type = form.of(file, content, self.options.name)
        sha256 = file.file_sha256
        found = self.lookout.found(file, self.calls.around(file.start_s))
        if found is not None and found.verdict == "doubtful":  # the next pull brings it: then again
            self.unsure += 1
            self.session.log.info("upload_doubted", file=sha256, activity_id=found.activity_id)
            return
        if found is not None:  # "ours": the ledger was lost
            state: replies.End = "done" if found.verdict == "ours" else "there"
            self._finish(sha256, state, found.activity_id)
            return
        guard = Guard(
            before=lambda: self.ledger.sending(sha256),
            undone=lambda: self.ledger.turned_away(sha256),
        )
        sent = self.calls.send(body, content_type, guard)
        if sent is None:
            self._seek(file)
            return
        if sent.state == "processing":  # its id is kept before anything is asked about it
            self.ledger.move(sha256, "processing", upload_id=sent.upload_id)
        self._settle(sha256, file.external_id, self._awaited(sent))

    def _seek(self, file: File) -> None:
        """Look for what was sent without an answer; raise Transient where it does not show."""
        for wait_s in _LOOKS_S:
            self.session.clock.sleep(wait_s)
            seen = self.calls.around(file.start_s)
            if (activity_id := _named(seen, file.external_id)) is not None:
                self._finish(file.file_sha256, "done", activity_id)
                return
        raise Transient(f"no answer to the upload of {file.external_id}; the next run looks for it")

    def _awaited(self, reply: Reply) -> Reply:
        """Ask until Strava has come to an end, or for half a minute."""
        for wait_s in _WAITS_S:
            if reply.state != "processing" or reply.upload_id is None:
                break
            self.session.clock.sleep(wait_s)
            reply = self.calls.ask(reply.upload_id) or reply
        return reply

    def _settle(self, file_sha256: str, external_id: str, reply: Reply) -> None:
        """Write down what Strava says."""
        if reply.state == "failed":
            self._fail(file_sha256, external_id, reply.message or "", reply.upload_id)
        elif reply.state == "processing":
            self.ledger.move(file_sha256, "processing", upload_id=reply.upload_id)
        else:
            self._finish(file_sha256, reply.state, reply.activity_id, reply)

    def _finish(
        self,
        file_sha256: str,
        state: replies.End,
        activity_id: str | None,
        reply: Reply | None = None,
    ) -> None:
        self.ledger.move(
            file_sha256,
            state,
            activity_id=activity_id,
            upload_id=reply.upload_id if reply else None,
            message=reply.message if reply else None,
        )
        self.report.count(state)
        self.session.log.info("upload", file=file_sha256, state=state, activity_id=activity_id)

    def _fail(
        self, file_sha256: str, external_id: str, message: str, upload_id: str | None = None
    ) -> None:
        self.ledger.move(file_sha256, "failed", upload_id=upload_id, message=message)
        self.report.count("failed")
        self.report.failures.append(f"{external_id}: {message}")
        self.session.log.warning("upload_refused", file=file_sha256, message=message)


def _named(seen: list[Seen], external_id: str) -> str | None:
    """Return the activity that came from our upload of that name."""
    return next(
        (one.record.source_id for one in seen if name_of(one.external_id) == external_id), None
    )
