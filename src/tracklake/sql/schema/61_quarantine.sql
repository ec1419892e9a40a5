-- Items set aside, as of the last publication.
create table if not exists quarantine (
  item_id VARCHAR,
  athlete VARCHAR,
  source VARCHAR,
  item VARCHAR,
  reason VARCHAR,
  message VARCHAR,
  attempts INTEGER,
  first_seen_at TIMESTAMPTZ,
  last_seen_at TIMESTAMPTZ,
  next_try_at TIMESTAMPTZ,
  location VARCHAR,
  error_class VARCHAR,
  session_id VARCHAR
);
comment on table quarantine is 'Items set aside, as of the last publication';
comment on column quarantine.item_id is 'For tracklake quarantine retry and drop';
comment on column quarantine.athlete is 'Whose';
comment on column quarantine.source is 'Where it came from';
comment on column quarantine.item is 'What a person calls it: its path';
comment on column quarantine.reason is 'What is wrong, in a word';
comment on column quarantine.message is 'In one sentence';
comment on column quarantine.attempts is 'Tries so far';
comment on column quarantine.first_seen_at is 'UTC';
comment on column quarantine.last_seen_at is 'UTC';
comment on column quarantine.next_try_at is 'UTC; NULL: no more';
comment on column quarantine.location is 'Its bytes, below the data folder';
comment on column quarantine.error_class is 'Of which kind the failure is, for grouping';
comment on column quarantine.session_id is 'In which it failed last';
