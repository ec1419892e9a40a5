-- Records that were found deleted or hidden upstream, newest word on each.
create table if not exists record_tombstones (
  record_id BIGINT,
  reason VARCHAR,
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR
);
comment on table record_tombstones is 'Records that were found deleted or hidden upstream, newest word on each';
comment on column record_tombstones.record_id is 'records.record_id';
comment on column record_tombstones.reason is 'Why: not_listed (a full listing no longer names it)';
comment on column record_tombstones.ingested_at is 'When it was found';
comment on column record_tombstones.content_hash is 'SHA-256 of the record';
