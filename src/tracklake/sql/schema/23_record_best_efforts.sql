-- Fastest over a distance and best mean power over a duration, within each activity.
create table if not exists record_best_efforts (
  record_id BIGINT,
  origin VARCHAR USING COMPRESSION DICTIONARY,
  kind VARCHAR USING COMPRESSION DICTIONARY,
  name VARCHAR USING COMPRESSION DICTIONARY,
  distance_m DOUBLE,
  duration_s DOUBLE,
  elapsed_time DOUBLE,
  average_watts DOUBLE,
  start_date TIMESTAMPTZ,
  start_index INTEGER,
  end_index INTEGER,
  moving_time DOUBLE,
  pr_rank INTEGER
);
comment on table record_best_efforts is 'Fastest over a distance and best mean power over a duration, within each activity, as each record has them';
comment on column record_best_efforts.record_id is 'records.record_id';
comment on column record_best_efforts.origin is 'computed (from its points), source (as the source itself reports it)';
comment on column record_best_efforts.kind is 'distance or power';
comment on column record_best_efforts.name is '400m, 1/2 mile, 1K, … or 5s, 15s, …, 1h';
comment on column record_best_efforts.distance_m is 'm, of a distance effort';
comment on column record_best_efforts.duration_s is 's, of a power effort';
comment on column record_best_efforts.elapsed_time is 's it took, stops included';
comment on column record_best_efforts.average_watts is 'W, of a power effort';
comment on column record_best_efforts.start_date is 'UTC';
comment on column record_best_efforts.start_index is 'First point_index it touches';
comment on column record_best_efforts.end_index is 'Last point_index it touches';
comment on column record_best_efforts.moving_time is 's, stops excluded, where the source says so';
comment on column record_best_efforts.pr_rank is 'Strava''s: 1 to 3 among the athlete''s own when it was done';
