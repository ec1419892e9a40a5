-- Pairs of records that look alike, but not enough to be one activity.
create table if not exists record_doubts (
  record_id BIGINT,
  other_record_id BIGINT,
  method VARCHAR,
  confidence DOUBLE
);
comment on table record_doubts is 'Pairs of records that look alike, but not enough to be one activity; read duplicate_candidates';
comment on column record_doubts.record_id is 'records.record_id';
comment on column record_doubts.other_record_id is 'records.record_id of the other one';
comment on column record_doubts.method is 'What makes them look alike: time, track, or a key that they share while nothing else fits';
comment on column record_doubts.confidence is '0 to 1';
