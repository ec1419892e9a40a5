-- The state database (SQLite), version 4.
create table if not exists sessions (
  session_id text primary key, athlete text not null, flow text not null, state text not null,
  started_at text not null, finished_at text, process_id integer, error text
);
create table if not exists phases (
  session_id text not null, phase text not null, total integer,
  processed integer not null default 0, errors integer not null default 0, started_at text not null, finished_at text, detail text,
  primary key (session_id, phase)
);
create table if not exists quarantine (
  item_id text not null, athlete text not null, source text not null, item text not null,
  reason text not null, message text not null, attempts integer not null,
  first_seen_at text not null, last_seen_at text not null, next_try_at text, decoder_version text,
  location text,
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
  changed_at text not null,
  primary key (athlete, file_sha256)
);
