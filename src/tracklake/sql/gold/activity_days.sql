-- Each activity on its local day, once under its own sport and once under all sports together.
-- columns as in activities
create or replace view activity_days as
with labelled as (
  select
    a.*,
    as_all,
    coalesce(f.sport_family, 'other') as family,
    coalesce(f.is_motorised, false) as is_motorised
  from activities as a
  left join sport_families as f on f.sport_type = a.sport_type
  cross join (values (false), (true)) as twice (as_all)
  -- By sport a triathlon is its legs; among all sports it is one outing.
  where case when as_all then coalesce(a.leg_index, 0) else coalesce(a.leg_count, 0) end = 0
)
select
  athlete,
  start_date_local::date as day,
  case when as_all then 'all' else family end as sport_family,
  case when as_all then 'All' else coalesce(sport_type, 'Workout') end as sport_type,
  is_motorised,
  id as activity_id,
  start_date,
  distance,
  moving_time,
  elapsed_time,
  total_elevation_gain,
  average_speed,
  elev_high
from labelled
where start_date_local is not null;
comment on view activity_days is 'Each activity on its local day, once under its own sport and once under all sports together';
comment on column activity_days.day is 'Day of the start, as the calendar on the wall showed it';
comment on column activity_days.sport_family is 'run, walk, ride, swim, winter, water, other (table sport_families), or all: then an outing of several sports is one row';
comment on column activity_days.sport_type is 'As in activities, or All where sport_family is all; then an outing of several sports is one row, else each of its legs is';
comment on column activity_days.is_motorised is 'A motor helped (e-bikes): sets no records';
comment on column activity_days.activity_id is 'activities.id';
