-- One row an activity. Each column comes from the first record, by the order of measurements or of
-- words (docs/formulas.md), that has one; distance, times and speed from one record, so that they
-- fit each other; so does the start, from one that shows it, and the zone from one that knows it.
delete from activities where id in (select id from affected);

create or replace temp view parts as
select
  r.* exclude (gives, start_lat, start_lng, end_lat, end_lng, summary_polyline),
  -- A service that says not where it was may have the file of it.
  coalesce(r.start_lat, t.start_lat) as start_lat,
  coalesce(r.start_lng, t.start_lng) as start_lng,
  coalesce(r.end_lat, t.end_lat) as end_lat,
  coalesce(r.end_lng, t.end_lng) as end_lng,
  coalesce(nullif(r.summary_polyline, ''), t.summary_polyline) as summary_polyline,
  o.measuring_order as measured,
  o.describing_order as described,
  -- The same orders, behind what lacks the thing itself.
  described + case when r.sport_type = 'Workout' then 1000 else 0 end as sporting,
  measured + case when coalesce(r.distance, 0) <= 0 then 1000 else 0 end
    + case when r.moving_time is null then 100 else 0 end as amounting,
  measured + case when r.start_hidden then 1000 else 0 end as started,
  measured + case when r.timezone is null then 1000 else 0 end
    + case when r.utc_offset_s is null then 100 else 0 end as placed,
  coalesce(d.description, r.description) as words,
  coalesce(r.calories, d.calories) as energy,
  coalesce(r.device_name, d.device_name) as device,
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
left join record_streams as t on t.record_id = r.record_id;

-- For each column the source of the record that comes first of those that have one. Few activities
-- differ in which of their sources has what, so that is found out once for all that are alike.
create or replace temp table haves as
with present as (
  select
    activity_id, source, measured,
    ((coalesce(name, '') <> '')::bigint << 0) | ((coalesce(words, '') <> '')::bigint << 1) |
    ((sport_type is not null)::bigint << 2) | ((start_date is not null)::bigint << 3) |
    ((start_date is not null)::bigint << 4) | ((timezone is not null)::bigint << 5) |
    ((utc_offset_s is not null)::bigint << 6) | ((distance is not null)::bigint << 7) |
    ((moving_time is not null)::bigint << 8) | ((elapsed_time is not null)::bigint << 9) |
    ((total_elevation_gain is not null)::bigint << 10) |
    ((elev_high is not null)::bigint << 11) | ((elev_low is not null)::bigint << 12) |
    ((average_speed is not null)::bigint << 13) | ((max_speed is not null)::bigint << 14) |
    ((average_heartrate is not null)::bigint << 15) |
    ((max_heartrate is not null)::bigint << 16) | ((average_watts is not null)::bigint << 17) |
    ((max_watts is not null)::bigint << 18) | ((average_cadence is not null)::bigint << 19) |
    ((average_temp is not null)::bigint << 20) | ((energy is not null)::bigint << 21) |
    ((newest_kudos is not null)::bigint << 22) | ((comment_count is not null)::bigint << 23) |
    ((athlete_count is not null)::bigint << 24) | ((photo_count is not null)::bigint << 25) |
    ((achievement_count is not null)::bigint << 26) | ((pr_count is not null)::bigint << 27) |
    ((suffer_score is not null)::bigint << 28) |
    ((weighted_average_watts is not null)::bigint << 29) |
    ((kilojoules is not null)::bigint << 30) | ((device_watts is not null)::bigint << 31) |
    ((workout_type is not null)::bigint << 32) | ((gear_id is not null)::bigint << 33) |
    ((commute is not null)::bigint << 34) | ((trainer is not null)::bigint << 35) |
    ((manual is not null)::bigint << 36) | ((visibility is not null)::bigint << 37) |
    ((device is not null)::bigint << 38) | ((start_lat is not null)::bigint << 39) |
    ((start_lng is not null)::bigint << 40) | ((end_lat is not null)::bigint << 41) |
    ((end_lng is not null)::bigint << 42) | ((summary_polyline is not null)::bigint << 43) as columns,
    [
      measured, described, sporting, started, placed, amounting,
      measured + case when trainer then 0 else 1000 end,
      measured + case when manual then 1000 else 0 end
    ] as places
  from parts
)
select
  activity_id,
  list({'source': source, 'columns': columns, 'places': places} order by measured) as have,
  hash(have) as pattern
from present
group by activity_id;

create or replace temp table origins as
with fields as (
  from (values
    ('name', 0, 2), ('description', 1, 2), ('sport_type', 2, 3), ('start_date', 3, 4),
    ('start_date_local', 4, 5), ('timezone', 5, 5), ('utc_offset_s', 6, 5), ('distance', 7, 6),
    ('moving_time', 8, 6), ('elapsed_time', 9, 6), ('total_elevation_gain', 10, 1),
    ('elev_high', 11, 1), ('elev_low', 12, 1), ('average_speed', 13, 6), ('max_speed', 14, 6),
    ('average_heartrate', 15, 1), ('max_heartrate', 16, 1), ('average_watts', 17, 1),
    ('max_watts', 18, 1), ('average_cadence', 19, 1), ('average_temp', 20, 1),
    ('calories', 21, 1), ('kudos_count', 22, 2), ('comment_count', 23, 2),
    ('athlete_count', 24, 2), ('photo_count', 25, 2), ('achievement_count', 26, 2),
    ('pr_count', 27, 2), ('suffer_score', 28, 2), ('weighted_average_watts', 29, 1),
    ('kilojoules', 30, 1), ('device_watts', 31, 1), ('workout_type', 32, 2), ('gear_id', 33, 2),
    ('commute', 34, 2), ('trainer', 35, 7), ('manual', 36, 8), ('visibility', 37, 2),
    ('device_name', 38, 1), ('start_lat', 39, 1), ('start_lng', 40, 1), ('end_lat', 41, 1),
    ('end_lng', 42, 1), ('summary_polyline', 43, 1)
  ) as f (field, bit, place)
),
alike as (
  select
    pattern,
    unnest(have) as one,
    list_min(list_transform(have, lambda h: h.places[6])) as least_amounting,
    list_bool_or(list_transform(have, lambda h: (h.columns >> 8) & 1 = 1)) as has_moving_time
  from (select pattern, any_value(have) as have from haves group by pattern)
),
firsts as (
  select a.pattern, f.field, arg_min(a.one.source, a.one.places[f.place]) as source
  from alike as a
  inner join fields as f on (a.one.columns >> f.bit) & 1 = 1
  -- The speed is of the same record as the distance and the moving time, or there is none.
  where f.field <> 'average_speed'
    or (
      a.one.places[6] = a.least_amounting
      and ((a.one.columns >> 8) & 1 = 1 or not a.has_moving_time)
    )
  group by all
)
select
  pattern, map_from_entries(list({'field': field, 'source': source} order by field)) as field_sources
from firsts
group by pattern;

insert into activities by name
with reported as (
  select
    activity_id, list_sort(list_distinct(list(source))) as sources, max(ingested_at) as ingested_at,
    -- What is a leg of what is so also where the file that says it may give nothing else.
    max(parent_record_id) as parent_id, max(leg_index) as leg_index, max(leg_count) as leg_count
  from records
  where activity_id in (select id from affected) and gone_at is null
  group by activity_id
)
select a.*, f.field_sources
from (
  select
    p.activity_id as id,
    p.athlete,
    arg_min(source, measured) as primary_source,
    any_value(w.sources) as sources,
    arg_min(name, described) filter (where name <> '') as name,
    arg_min(words, described) filter (where words <> '') as description,
    arg_min(sport_type, sporting) as sport_type,
    arg_min(start_date, started) as start_date,
    case
      when arg_min(record_id, started) = arg_min(record_id, placed)
      then arg_min(start_date_local, started)
      else arg_min(start_date, started)::timestamp
        + to_microseconds(coalesce(round(arg_min(utc_offset_s, placed) * 1e6), 0)::bigint)
    end as start_date_local,
    arg_min(timezone, placed) as timezone,
    arg_min(utc_offset_s, placed) as utc_offset_s,
    arg_min(distance, amounting) as distance,
    arg_min(moving_time, amounting) as moving_time,
    arg_min(elapsed_time, amounting) as elapsed_time,
    arg_min(total_elevation_gain, measured) as total_elevation_gain,
    arg_min(elev_high, measured) as elev_high,
    arg_min(elev_low, measured) as elev_low,
    case
      when arg_min(record_id, amounting)
        = coalesce(
          arg_min(record_id, amounting) filter (where moving_time is not null),
          arg_min(record_id, amounting)
        )
      then arg_min_null(average_speed, amounting)
    end as average_speed,
    arg_min(max_speed, amounting) as max_speed,
    arg_min(average_heartrate, measured) as average_heartrate,
    arg_min(max_heartrate, measured) as max_heartrate,
    arg_min(average_watts, measured) as average_watts,
    arg_min(max_watts, measured) as max_watts,
    arg_min(average_cadence, measured) as average_cadence,
    arg_min(average_temp, measured) as average_temp,
    arg_min(energy, measured) as calories,
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
    arg_min(device, measured) as device_name,
    arg_min(start_lat, measured) as start_lat,
    arg_min(start_lng, measured) as start_lng,
    arg_min(end_lat, measured) as end_lat,
    arg_min(end_lng, measured) as end_lng,
    arg_min(summary_polyline, measured) as summary_polyline,
    case
      when coalesce(any_value(w.leg_count), 0) > 0 then coalesce(bool_or(has_track), false)
      else coalesce(bool_or(gives_track), false)
    end as has_track,
    arg_min(coalesce(start_hidden, false), started) as start_hidden,
    any_value(w.parent_id) as parent_id,
    any_value(w.leg_index) as leg_index,
    any_value(w.leg_count) as leg_count,
    coalesce(max(points) filter (where gives_streams), 0) as point_count,
    case
      when max(file_format) is null then null
      when max(len(problems)) filter (where file_format is not null) > 0 then 'salvaged'
      else 'clean'
    end as file_status,
    coalesce(
      max(source) filter (where gives_streams), max(source) filter (where gives_track)
    ) as stream_source,
    any_value(w.ingested_at) as ingested_at
  from parts as p
  inner join reported as w on w.activity_id = p.activity_id
  group by p.activity_id, p.athlete
) as a
inner join haves as h on h.activity_id = a.id
inner join origins as f on f.pattern = h.pattern;

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
