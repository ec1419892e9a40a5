-- One row an activity: measurements from the file before the export's, the athlete's words the other
-- way round.
delete from activities where id in (select id from affected);

insert into activities by name
with parts as (
  select
    s.*,
    row_number() over (
      partition by s.activity_id
      order by starts_with(s.source_id, 'strava-export/'), s.record_id
    ) as measured,
    row_number() over (
      partition by s.activity_id
      order by starts_with(s.source_id, 'strava-export/') desc, s.record_id
    ) as described
  from activity_sources as s
  where s.activity_id in (select id from affected)
)
select
  activity_id as id,
  athlete,
  arg_min(source, measured) as primary_source,
  list_sort(list_distinct(list(source))) as sources,
  arg_min(name, described) filter (where name <> '') as name,
  arg_min(description, described) filter (where description <> '') as description,
  arg_min(sport_type, described) filter (where sport_type is not null) as sport_type,
  arg_min(start_date, measured) as start_date,
  arg_min(start_date_local, measured) as start_date_local,
  arg_min(timezone, measured) as timezone,
  arg_min(utc_offset_s, measured) as utc_offset_s,
  arg_min(distance, measured) as distance,
  arg_min(moving_time, measured) as moving_time,
  arg_min(elapsed_time, measured) as elapsed_time,
  arg_min(total_elevation_gain, measured) as total_elevation_gain,
  arg_min(elev_high, measured) as elev_high,
  arg_min(elev_low, measured) as elev_low,
  arg_min(average_speed, measured) as average_speed,
  arg_min(max_speed, measured) as max_speed,
  arg_min(average_heartrate, measured) as average_heartrate,
  arg_min(max_heartrate, measured) as max_heartrate,
  arg_min(average_watts, measured) as average_watts,
  arg_min(max_watts, measured) as max_watts,
  arg_min(average_cadence, measured) as average_cadence,
  arg_min(average_temp, measured) as average_temp,
  arg_min(calories, measured) as calories,
  null::bigint as kudos_count,
  null::bigint as achievement_count,
  arg_min(gear_id, described) as gear_id,
  coalesce(bool_or(commute), false) as commute,
  coalesce(bool_or(trainer), false) as trainer,
  coalesce(bool_and(manual), false) as manual,
  null::varchar as visibility,
  arg_min(device_name, measured) as device_name,
  arg_min(start_lat, measured) as start_lat,
  arg_min(start_lng, measured) as start_lng,
  arg_min(end_lat, measured) as end_lat,
  arg_min(end_lng, measured) as end_lng,
  arg_min(summary_polyline, measured) as summary_polyline,
  coalesce(bool_or(has_track), false) as has_track,
  false as start_hidden,
  max(parent_record_id) as parent_id,
  max(leg_index) as leg_index,
  max(leg_count) as leg_count,
  coalesce(max(point_count), 0) as point_count,
  case
    when max(file_format) is null then null
    when max(len(problems)) > 0 then 'salvaged'
    else 'clean'
  end as file_status,
  max(ingested_at) as ingested_at
from parts
group by activity_id, athlete;

-- Legs name their whole by record; the activity may bear another id, and change it.
update activities
set parent_id = whole.activity_id
from activity_sources as leg
inner join activity_sources as whole on whole.record_id = leg.parent_record_id
where leg.activity_id = activities.id
  and activities.parent_id is distinct from whole.activity_id
  and (activities.id in (select id from affected) or whole.activity_id in (select id from affected));
