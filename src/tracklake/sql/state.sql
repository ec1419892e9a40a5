-- The state database (SQLite), version 1.
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
  item_id text primary key, athlete text not null, source text not null, item text not null,
  reason text not null, message text not null, attempts integer not null,
  first_seen_at text not null, last_seen_at text not null, next_try_at text, decoder_version text,
  location text
);
create table if not exists seen_files (
  athlete text not null, path blob not null, size_bytes integer not null,
  modified_ns integer not null, decoder_version text not null, primary key (athlete, path)
);
create table if not exists facts (name text primary key, value text not null);
