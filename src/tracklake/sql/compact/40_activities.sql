-- One row an activity: measurements from the file, then Strava's, then the export's; the athlete's
-- words from Strava, then the export, then the file.
delete from activities where id in (select id from affected);

insert into activities by name
with parts as (
  select
    r.*,
    o.measuring_order as measured,
    o.describing_order as described,
    d.calories as detailed_calories,
    d.description as detailed_description,
    d.device_name as detailed_device,
    case  -- kudos come and go: the newer word counts
      when d.ingested_at >= r.ingested_at then coalesce(d.kudos_count, r.kudos_count)
      else coalesce(r.kudos_count, d.kudos_count)
    end as newest_kudos,
    case when t.point_count > 0 then t.point_count else r.point_count end as points,
    list_contains(r.gives, 'streams') as gives_streams,
    list_contains(r.gives, 'track') as gives_track
  from records as r
  inner join ordered_records as o on o.record_id = r.record_id
  left join record_details as d on d.record_id = r.record_id
  left join record_streams as t on t.record_id = r.record_id
)
select
  activity_id as id,
  athlete,
  arg_min(source, measured) as primary_source,
  list_sort(list_distinct(list(source))) as sources,
  arg_min(name, described) filter (where name <> '') as name,
  arg_min(coalesce(detailed_description, description), described)
    filter (where coalesce(detailed_description, description) <> '') as description,
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
  arg_min(coalesce(calories, detailed_calories), measured) as calories,
  arg_min(newest_kudos, described) as kudos_count,
  arg_min(comment_count, described) as comment_count,
  arg_min(athlete_count, described) as athlete_count,
  arg_min(photo_count, described) as photo_count,
  arg_min(achievement_count, described) as achievement_count,
  arg_min(pr_count, described) as pr_count,
  arg_min(suffer_score, described) as suffer_score,
  arg_min(weighted_average_watts, measured) as weighted_average_watts,
  arg_min(kilojoules, measured) as kilojoules,
  arg_min(device_watts, measured) as device_watts,
  arg_min(workout_type, described) as workout_type,
  arg_min(gear_id, described) as gear_id,
  coalesce(arg_min(commute, described), false) as commute,
  coalesce(bool_or(trainer), false) as trainer,
  coalesce(bool_and(manual), false) as manual,
  arg_min(visibility, described) as visibility,
  arg_min(coalesce(device_name, detailed_device), measured) as device_name,
  arg_min(start_lat, measured) as start_lat,
  arg_min(start_lng, measured) as start_lng,
  arg_min(end_lat, measured) as end_lat,
  arg_min(end_lng, measured) as end_lng,
  arg_min(summary_polyline, measured) as summary_polyline,
  case
    when coalesce(max(leg_count), 0) > 0 then coalesce(bool_or(has_track), false)
    else coalesce(bool_or(gives_track), false)
  end as has_track,
  coalesce(arg_min(coalesce(start_hidden, false), measured), false) as start_hidden,
  max(parent_record_id) as parent_id,
  max(leg_index) as leg_index,
  max(leg_count) as leg_count,
  coalesce(max(points) filter (where gives_streams), 0) as point_count,
  case
    when max(file_format) is null then null
    when max(len(problems)) > 0 then 'salvaged'
    else 'clean'
  end as file_status,
  coalesce(
    max(source) filter (where gives_streams), max(source) filter (where gives_track)
  ) as stream_source,
  max(ingested_at) as ingested_at
from parts
group by activity_id, athlete;

delete from activity_points where activity_id in (select id from affected);

insert into activity_points by name
select
  k.activity_id,
  max(case when t.point_count > 0 then t.stream_key else r.stream_key end)
    filter (where k.offer = 'streams') as stream_key,
  max(case when t.has_track then t.stream_key else r.stream_key end)
    filter (where k.offer = 'track') as track_key
from taken as k
inner join records as r on r.record_id = k.record_id
left join record_streams as t on t.record_id = k.record_id
where k.offer in ('streams', 'track')
group by k.activity_id;

-- Legs name their whole by record; the activity may bear another id, and change it.
update activities
set parent_id = whole.activity_id
from records as leg
inner join records as whole on whole.record_id = leg.parent_record_id
where leg.activity_id = activities.id
  and activities.parent_id is distinct from whole.activity_id
  and (activities.id in (select id from affected) or whole.activity_id in (select id from affected));
