-- Time of each activity in each heart-rate zone of the athlete (athlete_thresholds), from its points
create or replace view heartrate_zones as
with counted as (
  select
    a.id as activity_id,
    a.athlete,
    a.sport_type,
    a.start_date_local::date as day,
    t.heartrate_zones as bounds,
    unnest(f.heartrate_bpm) as measured,
    unnest(f.heartrate_time_s) as time_s
  from activities as a
  inner join activity_points as p on p.activity_id = a.id
  inner join stream_facts as f on f.stream_key = p.stream_key
  inner join athlete_thresholds as t on t.athlete = a.athlete
  where t.heartrate_zones is not null and coalesce(a.leg_count, 0) = 0
),
zoned as (
  select
    activity_id, athlete, sport_type, day, bounds,
    len(list_filter(bounds, lambda bound: bound <= measured)) + 1 as zone_index,
    sum(time_s) as time_s
  from counted
  group by all
)
select
  activity_id,
  athlete,
  sport_type,
  day,
  zone_index,
  case when zone_index > 1 then bounds[zone_index - 1] end as from_bpm,
  bounds[zone_index] as below_bpm,
  time_s,
  time_s / sum(time_s) over (partition by activity_id) as time_share
from zoned;
comment on view heartrate_zones is 'Time of each activity in each heart-rate zone of the athlete (athlete_thresholds), from its points';
comment on column heartrate_zones.activity_id is 'activities.id; zones without time have no row';
comment on column heartrate_zones.athlete is 'Whose';
comment on column heartrate_zones.sport_type is 'As in activities';
comment on column heartrate_zones.day is 'Local day of the activity';
comment on column heartrate_zones.zone_index is 'From 1, the easiest';
comment on column heartrate_zones.from_bpm is 'Where the zone begins, beats a minute; NULL: the lowest';
comment on column heartrate_zones.below_bpm is 'Where the next one begins, beats a minute; NULL: the highest';
comment on column heartrate_zones.time_s is 's in it; each value counts until the next one, at most 30 s';
comment on column heartrate_zones.time_share is 'Share of the time with a value, 0 to 1';
