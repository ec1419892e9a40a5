-- The ledger: which shards of bronze gold contains; written in the transaction that applied them.
create table if not exists shards (
  shard VARCHAR,
  entity VARCHAR,
  row_count BIGINT,
  size_bytes BIGINT,
  applied_at TIMESTAMPTZ,
  session_id VARCHAR
);
comment on table shards is 'The ledger: which shards of bronze gold contains; written in the transaction that applied them';
comment on column shards.shard is 'Path below the bronze folder';
comment on column shards.entity is 'What it holds';
comment on column shards.row_count is 'Rows';
comment on column shards.size_bytes is 'Bytes';
comment on column shards.applied_at is 'When gold took it in';
comment on column shards.session_id is 'In which session';
