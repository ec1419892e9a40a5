-- Laps, splits and best efforts that came in the records' own shards, in place of superseded ones.
-- Only files bring them so; a service's come with its details and streams, and stay.
delete from record_laps where record_id in (select record_id from superseded where of_file);
delete from record_splits_metric
where record_id in (select record_id from superseded where of_file);
delete from record_splits_standard
where record_id in (select record_id from superseded where of_file);
delete from record_best_efforts
where record_id in (select record_id from superseded where of_file);

insert into record_laps by name
select
  record_id, l.lap_index,
  start_date + to_milliseconds(round(l.start_offset_s * 1000)::bigint) as start_date,
  l.distance, l.elapsed_time, l.moving_time, l.average_speed, l.max_speed, l.total_elevation_gain,
  l.average_heartrate, l.max_heartrate, l.average_cadence, l.average_watts, l.calories, l.lap_trigger
from (
  select
    record_id, make_timestamptz(round(start_s * 1e6)::bigint) as start_date, unnest(laps) as l
  from incoming_activities
  where rowid in (select row_index from staged)
);

insert into record_splits_metric by name
select record_id, unnest(p), null::integer as pace_zone
from (
  select record_id, unnest(splits_metric) as p from incoming_activities
  where rowid in (select row_index from staged)
);

insert into record_splits_standard by name
select record_id, unnest(p), null::integer as pace_zone
from (
  select record_id, unnest(splits_standard) as p from incoming_activities
  where rowid in (select row_index from staged)
);

insert into record_best_efforts by name
select
  record_id, 'computed' as origin, e.kind, e.name, e.distance_m, e.duration_s,
  e.elapsed_time_s as elapsed_time, e.average_watts,
  start_date + to_milliseconds(round(e.start_offset_s * 1000)::bigint) as start_date,
  e.start_index, e.end_index
from (
  select
    record_id, make_timestamptz(round(start_s * 1e6)::bigint) as start_date,
    unnest(best_efforts) as e
  from incoming_activities
  where rowid in (select row_index from staged)
);
