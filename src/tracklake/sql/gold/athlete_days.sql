-- The days on which an athlete did something, by family of sports, and how many in a row they are.
-- columns as in activities
create or replace view athlete_days as
with days as (
  select
    athlete,
    sport_family,
    day,
    count(*) as activity_count,
    sum(distance) as distance,
    sum(moving_time) as moving_time,
    sum(total_elevation_gain) as total_elevation_gain,
    -- Days in a row and their numbers grow together, so their difference stays.
    day - (row_number() over (partition by athlete, sport_family order by day))::integer as island
  from activity_days
  group by athlete, sport_family, day
)
select
  athlete,
  sport_family,
  day,
  (row_number() over (partition by athlete, sport_family, island order by day))::integer as streak_day,
  activity_count,
  distance,
  distance / 1000 as distance_km,
  distance / 1609.344 as distance_miles,
  moving_time,
  total_elevation_gain
from days;
comment on view athlete_days is 'The days on which an athlete did something, by family of sports, and how many in a row they are';
comment on column athlete_days.day is 'Local day';
comment on column athlete_days.sport_family is 'run, walk, ride, swim, winter, water, other (table sport_families), or all';
comment on column athlete_days.streak_day is 'How many days in a row it makes: 1 on the first day after one without';
comment on column athlete_days.activity_count is 'How many there were';
comment on column athlete_days.distance_km is 'km';
comment on column athlete_days.distance_miles is 'Miles';
