-- How far each bike and pair of shoes has gone, by the activities that name it.
-- columns as in gear
create or replace view gear_distance as
with used as (
  select
    athlete,
    gear_id,
    count(*) as activity_count,
    min(start_date_local::date) as first_day,
    max(start_date_local::date) as last_day,
    sum(distance) as distance,
    sum(moving_time) as moving_time,
    sum(total_elevation_gain) as total_elevation_gain,
    max(distance) as longest_distance_m
  from activities
  where gear_id is not null and coalesce(leg_count, 0) = 0
  group by athlete, gear_id
)
select
  coalesce(u.athlete, g.athlete) as athlete,
  coalesce(u.gear_id, g.gear_id) as gear_id,
  g.name,
  g.kind,
  g.brand,
  g.model,
  g.is_retired,
  coalesce(u.activity_count, 0) as activity_count,
  u.first_day,
  u.last_day,
  coalesce(u.distance, 0) as distance,
  coalesce(u.distance, 0) / 1000 as distance_km,
  coalesce(u.distance, 0) / 1609.344 as distance_miles,
  coalesce(u.moving_time, 0) as moving_time,
  coalesce(u.total_elevation_gain, 0) as total_elevation_gain,
  u.longest_distance_m,
  g.distance_m as source_distance_m,
  g.distance_m / 1000 as source_distance_km,
  g.distance_m / 1609.344 as source_distance_miles
from used as u
full join gear as g on g.athlete = u.athlete and g.gear_id = u.gear_id;
comment on view gear_distance is 'How far each bike and pair of shoes has gone, by the activities that name it';
comment on column gear_distance.name is 'As the athlete calls it; NULL: only its id is known';
comment on column gear_distance.activity_count is 'Activities that name it; of an outing of several sports, its legs';
comment on column gear_distance.first_day is 'Local day of its first use; NULL: never';
comment on column gear_distance.last_day is 'Local day of its last use; NULL: never';
comment on column gear_distance.distance is 'm, summed over these activities';
comment on column gear_distance.distance_km is 'km, summed over these activities';
comment on column gear_distance.distance_miles is 'Miles, summed over these activities';
comment on column gear_distance.moving_time is 's in motion';
comment on column gear_distance.total_elevation_gain is 'm climbed';
comment on column gear_distance.longest_distance_m is 'm, of the longest of them';
comment on column gear_distance.source_distance_m is 'm in all, as Strava counted when it was asked; may include what is not here';
comment on column gear_distance.source_distance_km is 'The same in km';
comment on column gear_distance.source_distance_miles is 'The same in miles';
