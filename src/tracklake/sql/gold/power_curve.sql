-- The best mean power over each duration from 5 s to 4 h, of all time and of the last 90 days.
create or replace view power_curve as
with long as (
  select p.activity_id, l.duration_name, l.duration_s, l.average_watts
  from activity_points as p
  inner join stream_facts as f on f.stream_key = p.stream_key
  cross join lateral (
    values ('2h', 7200, f.best_2h_w), ('3h', 10800, f.best_3h_w), ('4h', 14400, f.best_4h_w)
  ) as l (duration_name, duration_s, average_watts)
  where l.average_watts > 0
),
efforts as (
  select activity_id, name as duration_name, duration_s, average_watts
  from activity_best_efforts
  where kind = 'power'
  union all
  select * from long
),
dated as (
  select
    a.athlete,
    coalesce(s.sport_family, 'other') as sport_family,
    e.duration_name,
    e.duration_s,
    e.average_watts,
    a.id as activity_id,
    a.start_date_local::date as day,
    day > t.today - 90 and day <= t.today as is_recent,
    row_number() over (
      partition by a.athlete, coalesce(s.sport_family, 'other'), e.duration_s
      order by e.average_watts desc, a.start_date, a.id
    ) as effort_rank
  from efforts as e
  inner join activities as a on a.id = e.activity_id
  inner join athlete_today as t on t.athlete = a.athlete
  left join sport_families as s on s.sport_type = a.sport_type
  where coalesce(a.device_watts, true) and not coalesce(s.is_motorised, false)
    and coalesce(a.leg_count, 0) = 0
)
select
  athlete,
  sport_family,
  duration_name,
  duration_s,
  max(average_watts) as average_watts,
  arg_min(activity_id, effort_rank) as activity_id,
  arg_min(day, effort_rank) as day,
  max(average_watts) filter (where is_recent) as average_watts_90d,
  arg_min(activity_id, effort_rank) filter (where is_recent) as activity_id_90d,
  arg_min(day, effort_rank) filter (where is_recent) as day_90d
from dated
group by athlete, sport_family, duration_name, duration_s;
comment on view power_curve is 'The best mean power over each duration from 5 s to 4 h, of all time and of the last 90 days';
comment on column power_curve.athlete is 'Whose';
comment on column power_curve.sport_family is 'run, ride, … (table sport_families): power on foot is not power on a bike; e-bikes are left out';
comment on column power_curve.duration_name is '5s, 15s, 30s, 1min, …, 1h, 2h, 3h, 4h';
comment on column power_curve.duration_s is 's';
comment on column power_curve.average_watts is 'W, the best mean; estimated power does not count';
comment on column power_curve.activity_id is 'activities.id';
comment on column power_curve.day is 'Local day of the activity';
comment on column power_curve.average_watts_90d is 'W, the best of the 90 days up to today; NULL: none';
comment on column power_curve.activity_id_90d is 'activities.id';
comment on column power_curve.day_90d is 'Local day of that activity';
