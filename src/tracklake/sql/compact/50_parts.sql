-- Laps, splits and best efforts of the staged records; others follow their activity's new id.
create or replace temp table replaced as
select old_activity_id as id from touched
where record_id in (
  select record_id from superseded
  except
  select record_id from staged where not is_reading
)
  and old_activity_id is not null;

delete from activity_laps where activity_id in (select id from replaced);
delete from activity_splits_metric where activity_id in (select id from replaced);
delete from activity_splits_standard where activity_id in (select id from replaced);
delete from activity_best_efforts where activity_id in (select id from replaced);

update activity_laps set activity_id = r.new_id from renamed as r where activity_id = r.old_id;
update activity_splits_metric set activity_id = r.new_id from renamed as r where activity_id = r.old_id;
update activity_splits_standard set activity_id = r.new_id from renamed as r where activity_id = r.old_id;
update activity_best_efforts set activity_id = r.new_id from renamed as r where activity_id = r.old_id;

create or replace temp table staged_parts as
select a.id, make_timestamptz(round(s.start_s * 1e6)::bigint) as start_date, s.*
from staged as s
inner join assignments as a using (record_id);

insert into activity_laps by name
select
  id as activity_id, l.lap_index,
  start_date + to_milliseconds(round(l.start_offset_s * 1000)::bigint) as start_date,
  l.distance, l.elapsed_time, l.moving_time, l.average_speed, l.max_speed, l.total_elevation_gain,
  l.average_heartrate, l.max_heartrate, l.average_cadence, l.average_watts, l.calories, l.lap_trigger
from (select id, start_date, unnest(laps) as l from staged_parts);

insert into activity_splits_metric by name
select id as activity_id, unnest(p), null::integer as pace_zone
from (select id, unnest(splits_metric) as p from staged_parts);

insert into activity_splits_standard by name
select id as activity_id, unnest(p), null::integer as pace_zone
from (select id, unnest(splits_standard) as p from staged_parts);

insert into activity_best_efforts by name
select
  id as activity_id, e.kind, e.name, e.distance_m, e.duration_s, e.elapsed_time_s as elapsed_time,
  e.average_watts,
  start_date + to_milliseconds(round(e.start_offset_s * 1000)::bigint) as start_date,
  e.start_index, e.end_index
from (select id, start_date, unnest(best_efforts) as e from staged_parts);
