-- Mile by mile (1,609.344 m).
create table if not exists record_splits_standard (
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
comment on table record_splits_standard is 'Mile by mile (1,609.344 m), as each record has them';
comment on column record_splits_standard.record_id is 'records.record_id';
comment on column record_splits_standard.split_index is 'From 1; the last may be short';
comment on column record_splits_standard.distance_m is 'm';
comment on column record_splits_standard.elapsed_time_seconds is 's, stops included';
comment on column record_splits_standard.moving_time_seconds is 's, stops excluded';
comment on column record_splits_standard.average_speed is 'm/s over the moving time';
comment on column record_splits_standard.elevation_difference is 'm, end minus start';
comment on column record_splits_standard.pace_zone is 'Strava''s pace zone; NULL when computed from a file';
comment on column record_splits_standard.average_heartrate is 'Beats a minute';
