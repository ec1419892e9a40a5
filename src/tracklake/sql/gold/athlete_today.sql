-- Which day it is where each athlete was last.
create or replace view athlete_today as
with newest as (
  select
    athlete,
    arg_max(coalesce(timezone, ''), start_date) as newest_zone,
    arg_max(coalesce(utc_offset_s, 0), start_date) as newest_offset_s
  from activities
  where start_date <= now() + interval 1 day  -- a clock that ran ahead says nothing about today
  group by athlete
),
zoned as (
  select a.athlete, z.name as timezone, coalesce(n.newest_offset_s, 0) as newest_offset_s
  from (select distinct athlete from activities) as a
  left join newest as n on n.athlete = a.athlete
  left join pg_timezone_names() as z on z.name = n.newest_zone
)
select
  athlete,
  timezone,
  coalesce(
    now() at time zone timezone,
    (now() at time zone 'UTC') + to_microseconds((newest_offset_s * 1e6)::bigint)
  )::date as today
from zoned;
comment on view athlete_today is 'Which day it is where each athlete was last';
comment on column athlete_today.athlete is 'Whose';
comment on column athlete_today.timezone is 'IANA time zone of the newest activity; NULL: unknown, then its distance from UTC counts';
comment on column athlete_today.today is 'The day that the calendar on the wall shows there now';
