-- Parts marked by device or athlete.
create table if not exists record_laps (
  record_id BIGINT,
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
  lap_trigger VARCHAR USING COMPRESSION DICTIONARY
);
comment on table record_laps is 'Parts marked by device or athlete, as each record has them';
comment on column record_laps.record_id is 'records.record_id';
comment on column record_laps.lap_index is 'From 1';
comment on column record_laps.start_date is 'UTC';
comment on column record_laps.distance is 'm';
comment on column record_laps.elapsed_time is 's';
comment on column record_laps.moving_time is 's';
comment on column record_laps.average_speed is 'm/s';
comment on column record_laps.max_speed is 'm/s';
comment on column record_laps.total_elevation_gain is 'm';
comment on column record_laps.average_heartrate is 'Beats a minute';
comment on column record_laps.max_heartrate is 'Beats a minute';
comment on column record_laps.average_cadence is 'Revolutions a minute of one leg or crank';
comment on column record_laps.average_watts is 'W';
comment on column record_laps.calories is 'kcal';
comment on column record_laps.lap_trigger is 'What ended it: manual, distance, time, session_end, …';
