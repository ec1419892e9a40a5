-- One row an execution of a flow, as of the last publication.
create table if not exists sync_sessions (
  session_id VARCHAR,
  athlete VARCHAR,
  flow VARCHAR,
  state VARCHAR,
  started_at TIMESTAMPTZ,
  finished_at TIMESTAMPTZ,
  error_class VARCHAR,
  error VARCHAR,
  calls BIGINT,
  attempt INTEGER,
  taken_up_by VARCHAR,
  waiting_until TIMESTAMPTZ,
  processed BIGINT,
  errors BIGINT
);
comment on table sync_sessions is 'One row an execution of a flow, as of the last publication';
comment on column sync_sessions.session_id is 'On every log line';
comment on column sync_sessions.athlete is 'Whose';
comment on column sync_sessions.flow is 'Command';
comment on column sync_sessions.state is 'completed, completed_with_errors, waiting_quota, needs_auth, failed, retrying';
comment on column sync_sessions.started_at is 'UTC';
comment on column sync_sessions.finished_at is 'UTC';
comment on column sync_sessions.error_class is 'Of which kind the error was, for grouping';
comment on column sync_sessions.error is 'In one sentence';
comment on column sync_sessions.calls is 'Calls made to services';
comment on column sync_sessions.attempt is 'How many in a row it is that go on with what an earlier one left';
comment on column sync_sessions.taken_up_by is 'The session that went on with what this one left';
comment on column sync_sessions.waiting_until is 'UTC; when the quota it waits for is fresh';
comment on column sync_sessions.processed is 'Items done in all phases';
comment on column sync_sessions.errors is 'Items set aside';
