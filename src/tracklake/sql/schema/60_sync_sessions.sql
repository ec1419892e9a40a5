-- One row an execution of a flow, as of the last publication.
create table if not exists sync_sessions (
  session_id VARCHAR,
  athlete VARCHAR,
  flow VARCHAR,
  state VARCHAR,
  started_at TIMESTAMPTZ,
  finished_at TIMESTAMPTZ,
  error VARCHAR,
  processed BIGINT,
  errors BIGINT
);
comment on table sync_sessions is 'One row an execution of a flow, as of the last publication';
comment on column sync_sessions.session_id is 'On every log line';
comment on column sync_sessions.athlete is 'Whose';
comment on column sync_sessions.flow is 'Command';
comment on column sync_sessions.state is 'completed, completed_with_errors, waiting_quota, needs_auth, failed, interrupted';
comment on column sync_sessions.started_at is 'UTC';
comment on column sync_sessions.finished_at is 'UTC';
comment on column sync_sessions.error is 'In one sentence';
comment on column sync_sessions.processed is 'Items done in all phases';
comment on column sync_sessions.errors is 'Items set aside';
