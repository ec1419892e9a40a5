-- Fastest over a distance and best mean power over a duration, within each activity.
create table if not exists activity_best_efforts (
  activity_id BIGINT,
  kind VARCHAR,
  name VARCHAR,
  distance_m DOUBLE,
  duration_s DOUBLE,
  elapsed_time DOUBLE,
  average_watts DOUBLE,
  start_date TIMESTAMPTZ,
  start_index INTEGER,
  end_index INTEGER
);
comment on table activity_best_efforts is 'Fastest over a distance and best mean power over a duration, within each activity';
comment on column activity_best_efforts.activity_id is 'activities.id';
comment on column activity_best_efforts.kind is 'distance or power';
comment on column activity_best_efforts.name is '400m, 1/2 mile, 1K, … or 5s, 15s, …, 1h';
comment on column activity_best_efforts.distance_m is 'm, of a distance effort';
comment on column activity_best_efforts.duration_s is 's, of a power effort';
comment on column activity_best_efforts.elapsed_time is 's it took, stops included';
comment on column activity_best_efforts.average_watts is 'W, of a power effort';
comment on column activity_best_efforts.start_date is 'UTC';
comment on column activity_best_efforts.start_index is 'First point_index it touches';
comment on column activity_best_efforts.end_index is 'Last point_index it touches';
