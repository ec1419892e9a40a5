-- Kilometre by kilometre.
create table if not exists record_splits_metric (
  record_id BIGINT,
  split_index INTEGER,
  distance_m DOUBLE,
  elapsed_time_seconds DOUBLE,
  moving_time_seconds DOUBLE,
  average_speed DOUBLE,
  elevation_difference DOUBLE,
  pace_zone INTEGER,
  average_heartrate DOUBLE
);
comment on table record_splits_metric is 'Kilometre by kilometre, as each record has them';
comment on column record_splits_metric.record_id is 'records.record_id';
comment on column record_splits_metric.split_index is 'From 1; the last may be short';
comment on column record_splits_metric.distance_m is 'm';
comment on column record_splits_metric.elapsed_time_seconds is 's, stops included';
comment on column record_splits_metric.moving_time_seconds is 's, stops excluded';
comment on column record_splits_metric.average_speed is 'm/s over the moving time';
comment on column record_splits_metric.elevation_difference is 'm, end minus start';
comment on column record_splits_metric.pace_zone is 'Strava''s pace zone; NULL when computed from a file';
comment on column record_splits_metric.average_heartrate is 'Beats a minute';
