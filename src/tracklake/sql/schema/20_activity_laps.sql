-- Parts marked by device or athlete.
create table if not exists activity_laps (
  activity_id BIGINT,
  lap_index INTEGER,
  start_date TIMESTAMPTZ,
  distance DOUBLE,
  elapsed_time DOUBLE,
  moving_time DOUBLE,
  average_speed DOUBLE,
  max_speed DOUBLE,
  total_elevation_gain DOUBLE,
  average_heartrate DOUBLE,
  max_heartrate DOUBLE,
  average_cadence DOUBLE,
  average_watts DOUBLE,
  calories DOUBLE,
  lap_trigger VARCHAR
);
comment on table activity_laps is 'Parts marked by device or athlete';
comment on column activity_laps.activity_id is 'activities.id';
comment on column activity_laps.lap_index is 'From 1';
comment on column activity_laps.start_date is 'UTC';
comment on column activity_laps.distance is 'm';
comment on column activity_laps.elapsed_time is 's';
comment on column activity_laps.moving_time is 's';
comment on column activity_laps.average_speed is 'm/s';
comment on column activity_laps.max_speed is 'm/s';
comment on column activity_laps.total_elevation_gain is 'm';
comment on column activity_laps.average_heartrate is 'Beats a minute';
comment on column activity_laps.max_heartrate is 'Beats a minute';
comment on column activity_laps.average_cadence is 'Revolutions a minute of one leg or crank';
comment on column activity_laps.average_watts is 'W';
comment on column activity_laps.calories is 'kcal';
comment on column activity_laps.lap_trigger is 'What ended it: manual, distance, time, session_end, …';
