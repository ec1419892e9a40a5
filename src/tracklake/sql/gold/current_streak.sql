-- The streak that stands today, and what it has to beat; a streak stands until a day ends without.
-- columns as in activities
create or replace view current_streak as
with spans as (
  select
    athlete,
    sport_family,
    min(day) as first_day,
    max(day) as last_day,
    count(*) as day_count,
    sum(activity_count)::bigint as activity_count,
    sum(distance) as distance,
    sum(moving_time) as moving_time
  from athlete_days
  group by athlete, sport_family, day - streak_day
),
longest as (
  select
    athlete, sport_family, day_count, first_day, last_day
  from spans
  qualify row_number() over (partition by athlete, sport_family order by day_count desc, first_day) = 1
)
select
  l.athlete,
  l.sport_family,
  t.today,
  coalesce(s.day_count, 0) as day_count,
  s.first_day,
  s.last_day,
  coalesce(s.last_day >= t.today, false) as is_active_today,
  s.activity_count,
  s.distance,
  s.distance / 1000 as distance_km,
  s.distance / 1609.344 as distance_miles,
  s.moving_time,
  l.day_count as longest_day_count,
  l.first_day as longest_first_day,
  l.last_day as longest_last_day,
  l.day_count - coalesce(s.day_count, 0) as days_to_longest
from longest as l
inner join athlete_today as t on t.athlete = l.athlete
left join spans as s
  on s.athlete = l.athlete and s.sport_family = l.sport_family
  and s.first_day <= t.today and s.last_day >= t.today - 1;
comment on view current_streak is 'The streak that stands today, and what it has to beat; a streak stands until a day ends without';
comment on column current_streak.today is 'Today, where the athlete was last';
comment on column current_streak.day_count is 'Days in a row up to today, or up to yesterday as long as today has nothing yet; 0: none stands';
comment on column current_streak.first_day is 'Its first day; NULL: none stands';
comment on column current_streak.last_day is 'Its last day so far; NULL: none stands';
comment on column current_streak.is_active_today is 'Today counts already; false and day_count above 0: it ends if nothing comes today';
comment on column current_streak.activity_count is 'Activities in it';
comment on column current_streak.longest_day_count is 'Days of the longest streak ever, which may be this one';
comment on column current_streak.longest_first_day is 'First day of that; of equally long ones the earliest';
comment on column current_streak.longest_last_day is 'Last day of that';
comment on column current_streak.days_to_longest is 'Days missing to be as long as that; 0: it is';
comment on column current_streak.sport_family is 'run, walk, ride, swim, winter, water, other (table sport_families), or all';
comment on column current_streak.distance_km is 'km';
comment on column current_streak.distance_miles is 'Miles';
