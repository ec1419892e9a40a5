-- One row a point, read from data/streams; each column is one channel over time.
create or replace view activity_streams as
select
  a.activity_id,
  p.point_index,
  p.time_s,
  p.lat,
  p.lng,
  p.altitude_m,
  p.distance_m,
  p.velocity_mps,
  p.heartrate_bpm,
  p.cadence_rpm,
  p.power_w,
  p.temperature_c,
  p.moving,
  p.grade_pct
from read_parquet($stream_files, hive_partitioning = false) as p
inner join activity_points as a on a.stream_key = p.stream_key;
comment on view activity_streams is 'One row a point; files in data/streams, relative to where you stand if TRACKLAKE_DATA_DIR is';
comment on column activity_streams.activity_id is 'activities.id';
comment on column activity_streams.point_index is 'From 0, in time';
comment on column activity_streams.time_s is 's since the start';
comment on column activity_streams.lat is 'Degrees, WGS 84';
comment on column activity_streams.lng is 'Degrees, WGS 84';
comment on column activity_streams.altitude_m is 'm above sea level';
comment on column activity_streams.distance_m is 'm since the start';
comment on column activity_streams.velocity_mps is 'm/s';
comment on column activity_streams.heartrate_bpm is 'Beats a minute';
comment on column activity_streams.cadence_rpm is 'Revolutions a minute of one leg or crank';
comment on column activity_streams.power_w is 'W';
comment on column activity_streams.temperature_c is 'Degrees Celsius, as the device felt it';
comment on column activity_streams.moving is 'Not standing still and not paused';
comment on column activity_streams.grade_pct is 'Slope, percent';
