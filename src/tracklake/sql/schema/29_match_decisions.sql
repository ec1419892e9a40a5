-- What the athlete said of records: that they are one activity, or are not.
create table if not exists match_decisions (
  athlete VARCHAR,
  kind VARCHAR,
  first_record VARCHAR,
  second_record VARCHAR,
  decided_at TIMESTAMPTZ
);
comment on table match_decisions is 'What the athlete said of records: that they are one activity, or are not; the later word counts';
comment on column match_decisions.athlete is 'Whose';
comment on column match_decisions.kind is 'merge, split';
comment on column match_decisions.first_record is 'source/source_id';
comment on column match_decisions.second_record is 'source/source_id';
comment on column match_decisions.decided_at is 'When, UTC';
