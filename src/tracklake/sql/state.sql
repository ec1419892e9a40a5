-- The state database (SQLite), version 5: what a new one is made of. One that is older goes through
-- state_changes/ first, a file for each version that changes a table which is there.
-- Moments are ISO 8601 in UTC.
-- taken_up_by: the session that went on with what this one left; attempt: how many in a row it is that
-- take up; calls: to services; expected_at: when the phase at work will have ended; boot_id: of the
-- machine's start in which process_id was given; seen_at: its last sign of life.
create table if not exists sessions (
  session_id text primary key, athlete text not null, flow text not null, state text not null,
  started_at text not null, finished_at text, process_id integer, error text,
  attempt integer not null default 1, taken_up_by text, calls integer not null default 0,
  error_class text, waiting_until text, expected_at text, boot_id text, seen_at text
);
create table if not exists phases (
  session_id text not null, phase text not null, total integer,
  processed integer not null default 0, errors integer not null default 0, started_at text not null, finished_at text, detail text,
  calls integer not null default 0, expected_at text, span_id text,
  primary key (session_id, phase)
);
-- code_version: which code failed, and a sign of its text, where it was ours (code_versions.py);
-- session_id: in which it failed last; subject: the record's id at its source.
create table if not exists quarantine (
  item_id text not null, athlete text not null, source text not null, item text not null,
  reason text not null, message text not null, attempts integer not null,
  first_seen_at text not null, last_seen_at text not null, next_try_at text, decoder_version text,
  location text, error_class text, code_version text, session_id text, subject text,
  primary key (athlete, item_id)
);
create table if not exists seen_files (
  athlete text not null, path blob not null, size_bytes integer not null,
  modified_ns integer not null, decoder_version text not null, file_sha256 text,
  primary key (athlete, path)
);
-- Files that were decoded, by content; made anew from the original_files shards if lost.
create table if not exists decoded (
  athlete text not null, file_sha256 text not null, sha256 text not null, outcome text not null,
  decoder_version text not null, location text not null, seen_as text not null,
  size_bytes integer not null,
  primary key (athlete, file_sha256)
);
create index if not exists decoded_as_it_came on decoded (athlete, sha256);
-- The newest landed content of records that come again with every export.
create table if not exists landed_records (
  athlete text not null, entity text not null, source_id text not null, content_hash text not null,
  primary key (athlete, entity, source_id)
);
create table if not exists facts (name text primary key, value text not null);
-- What is known of upstream records, so that nothing is landed or fetched twice; made anew from bronze
-- (indexed_shards says which shards it was made from). facts_hash: of the listed record without what
-- others do to it (kudos, comments); track_hash: of what moves its points, empty where it has none;
-- gone_at: when it was found deleted upstream.
create table if not exists upstream_records (
  athlete text not null, source text not null, source_id text not null, start_s real,
  sport_type text, content_hash text not null, facts_hash text not null, track_hash text not null, gear_id text,
  ingested_at text not null, gone_at text,
  primary key (athlete, source, source_id)
);
create table if not exists upstream_facts (
  athlete text not null, source text not null, entity text not null, source_id text not null,
  facts_hash text not null, outcome text not null, fetched_at text not null,
  primary key (athlete, source, entity, source_id)
);
create table if not exists indexed_shards (
  athlete text not null, source text not null, shard text not null,
  primary key (athlete, source, shard)
);
-- Which file an export of the source gave for a record, by content; see `decoded` for what it holds.
create table if not exists upstream_files (
  athlete text not null, source text not null, source_id text not null, file_sha256 text not null,
  primary key (athlete, source, source_id)
);
-- Calls used of an upstream's quota. kind: overall, read; window_s: its length; started_s: UNIX
-- seconds of the upstream's clock; refused_s: when a 429 closed it.
create table if not exists budgets (
  source text not null, kind text not null, window_s integer not null, started_s integer not null,
  used integer not null, most integer not null, refused_s integer,
  primary key (source, kind, window_s)
);
-- What is known of tracks by the hash of their geometry, for public tiles: box and first point in
-- degrees; made anew from the warehouse.
create table if not exists track_outlines (
  track_hash text primary key, west real not null, south real not null, east real not null, north real not null,
  lng real not null, lat real not null
);
-- Where what privacy leaves of a track begins; lng, lat empty if it leaves nothing. privacy: a sign of
-- the zones that touch it and of what is cut.
create table if not exists visible_starts (
  track_hash text not null, privacy text not null, lng real, lat real,
  primary key (track_hash, privacy)
);
-- Files that went, or are to go, on to Strava; the states are explained in uploads/ledger.py. posts: how
-- often it was sent; posted_s: when last, UNIX seconds; upload_id, activity_id: Strava's. Not made anew
-- from bronze: if lost, what Strava has is found by looking, before anything is sent.
create table if not exists uploads (
  athlete text not null, file_sha256 text not null, state text not null, external_id text not null,
  source text not null, source_id text not null, start_s real not null, elapsed_s real not null,
  posts integer not null default 0, posted_s real, upload_id text, activity_id text, message text,
  changed_at text not null, session_id text,
  primary key (athlete, file_sha256)
);
-- A breaker for each service: state: closed, open, half_open; failures: in a row; urls: the different
-- ones among them, pages: those that showed a page for people, JSON lists; pause_s: how long it stays open.
create table if not exists breakers (
  source text primary key, state text not null, failures integer not null default 0,
  urls text not null default '[]', pages text not null default '[]', since text, retry_at text, pause_s real not null default 0, error text,
  session_id text
);
-- What a person should know of, once for each cause; firing while resolved_at is empty.
create table if not exists alerts (
  code text not null, cause text not null, severity text not null, message text not null, advice text not null,
  since text not null, last_seen_at text not null, notified_at text, resolved_at text, session_id text,
  primary key (code, cause)
);
