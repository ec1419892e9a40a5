-- The fastest over each standard distance, of all time and of the last 90 days.
create or replace view pace_curve as
with ranked as (
  select
    e.*,
    e.day > t.today - 90 and e.day <= t.today as is_recent
  from best_efforts_by_distance as e
  inner join athlete_today as t on t.athlete = e.athlete
)
select
  athlete,
  sport_family,
  distance_name,
  distance_m,
  min(elapsed_time) as elapsed_time,
  min(elapsed_time) * 1000 / distance_m as pace_s_per_km,
  min(elapsed_time) * 1609.344 / distance_m as pace_s_per_mile,
  distance_m / min(elapsed_time) as average_speed,
  arg_min(activity_id, effort_rank) as activity_id,
  arg_min(day, effort_rank) as day,
  min(elapsed_time) filter (where is_recent) as elapsed_time_90d,
  min(elapsed_time) filter (where is_recent) * 1000 / distance_m as pace_90d_s_per_km,
  min(elapsed_time) filter (where is_recent) * 1609.344 / distance_m as pace_90d_s_per_mile,
  arg_min(activity_id, effort_rank) filter (where is_recent) as activity_id_90d,
  arg_min(day, effort_rank) filter (where is_recent) as day_90d
from ranked
group by athlete, sport_family, distance_name, distance_m;
comment on view pace_curve is 'The fastest over each standard distance, of all time and of the last 90 days';
comment on column pace_curve.athlete is 'Whose';
comment on column pace_curve.sport_family is 'run, walk, ride, swim, … (table sport_families); e-bikes are left out';
comment on column pace_curve.distance_name is '400m, 1/2 mile, 1K, 1 mile, …, Marathon, 50K';
comment on column pace_curve.distance_m is 'm';
comment on column pace_curve.elapsed_time is 's of the fastest, stops included';
comment on column pace_curve.pace_s_per_km is 's for each km';
comment on column pace_curve.pace_s_per_mile is 's for each mile';
comment on column pace_curve.average_speed is 'm/s';
comment on column pace_curve.activity_id is 'activities.id';
comment on column pace_curve.day is 'Local day of the activity';
comment on column pace_curve.elapsed_time_90d is 's of the fastest of the 90 days up to today; NULL: none';
comment on column pace_curve.pace_90d_s_per_km is 's for each km';
comment on column pace_curve.pace_90d_s_per_mile is 's for each mile';
comment on column pace_curve.activity_id_90d is 'activities.id';
comment on column pace_curve.day_90d is 'Local day of that activity';
