-- Each year up to the day of the year that today is, beside the year before.
-- columns as in activities
create or replace view year_over_year as
with spans as (
  select d.athlete, d.sport_family, year(min(d.day)) as first_year, any_value(t.today) as today
  from athlete_days as d
  inner join athlete_today as t on t.athlete = d.athlete
  group by d.athlete, d.sport_family
),
years as (
  select athlete, sport_family, today, unnest(range(first_year, year(today) + 1)) as year
  from spans
),
parts as (
  select
    *,
    -- 29 February is the 28th in other years.
    (today - to_months((12 * (year(today) - year))::integer))::date as through_day
  from years
),
sums as (
  select
    p.athlete,
    p.sport_family,
    p.year,
    p.through_day,
    coalesce(sum(d.activity_count), 0)::bigint as activity_count,
    count(d.day) as active_day_count,
    coalesce(sum(d.distance), 0) as distance,
    coalesce(sum(d.moving_time), 0) as moving_time,
    coalesce(sum(d.total_elevation_gain), 0) as total_elevation_gain
  from parts as p
  left join athlete_days as d
    on d.athlete = p.athlete and d.sport_family = p.sport_family
    and year(d.day) = p.year and d.day <= p.through_day
  group by p.athlete, p.sport_family, p.year, p.through_day
)
select
  athlete,
  sport_family,
  year,
  through_day,
  activity_count,
  active_day_count,
  distance,
  distance / 1000 as distance_km,
  distance / 1609.344 as distance_miles,
  moving_time,
  total_elevation_gain,
  lag(distance) over by_year as previous_distance_m,
  distance - lag(distance) over by_year as distance_change_m,
  (distance - lag(distance) over by_year) / 1000 as distance_change_km,
  (distance - lag(distance) over by_year) / 1609.344 as distance_change_miles,
  100 * (distance - lag(distance) over by_year) / nullif(lag(distance) over by_year, 0)
    as distance_change_percent,
  moving_time - lag(moving_time) over by_year as moving_time_change_s
from sums
window by_year as (partition by athlete, sport_family order by year);
comment on view year_over_year is 'Each year up to the day of the year that today is, beside the year before';
comment on column year_over_year.year is 'From the first with an activity to this one, none left out';
comment on column year_over_year.through_day is 'Last day that counts: today''s day and month in that year (29 February: the 28th)';
comment on column year_over_year.activity_count is 'Activities from 1 January to that day';
comment on column year_over_year.active_day_count is 'Days with one or more';
comment on column year_over_year.previous_distance_m is 'm in the year before, up to the same day; NULL: it is the first';
comment on column year_over_year.distance_change_m is 'm more than in the year before';
comment on column year_over_year.distance_change_km is 'km more than in the year before';
comment on column year_over_year.distance_change_miles is 'Miles more than in the year before';
comment on column year_over_year.distance_change_percent is 'The same in percent; NULL: nothing the year before';
comment on column year_over_year.moving_time_change_s is 's in motion more than in the year before';
comment on column year_over_year.sport_family is 'run, walk, ride, swim, winter, water, other (table sport_families), or all';
comment on column year_over_year.distance_km is 'km';
comment on column year_over_year.distance_miles is 'Miles';
