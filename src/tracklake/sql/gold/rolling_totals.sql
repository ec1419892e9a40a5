-- For each day up to today what the last 7, 28 and 365 days came to, by family of sports.
-- columns as in activities
create or replace view rolling_totals as
with spans as (
  select d.athlete, d.sport_family, min(d.day) as first_day, any_value(t.today) as today
  from athlete_days as d
  inner join athlete_today as t on t.athlete = d.athlete
  group by d.athlete, d.sport_family
),
calendar as (
  select
    athlete, sport_family, unnest(generate_series(first_day, today, interval 1 day))::date as day
  from spans
),
filled as (
  select
    c.athlete,
    c.sport_family,
    c.day,
    coalesce(d.activity_count, 0) as activities,
    coalesce(d.distance, 0) as metres,
    coalesce(d.moving_time, 0) as seconds,
    coalesce(d.total_elevation_gain, 0) as climb
  from calendar as c
  left join athlete_days as d
    on d.athlete = c.athlete and d.sport_family = c.sport_family and d.day = c.day
)
select
  athlete,
  sport_family,
  day,
  (sum(activities) over last_7)::bigint as activity_count_7d,
  sum(metres) over last_7 as distance_7d_m,
  sum(metres) over last_7 / 1000 as distance_7d_km,
  sum(metres) over last_7 / 1609.344 as distance_7d_miles,
  sum(seconds) over last_7 as moving_time_7d_s,
  sum(climb) over last_7 as total_elevation_gain_7d_m,
  (sum(activities) over last_28)::bigint as activity_count_28d,
  sum(metres) over last_28 as distance_28d_m,
  sum(metres) over last_28 / 1000 as distance_28d_km,
  sum(metres) over last_28 / 1609.344 as distance_28d_miles,
  sum(seconds) over last_28 as moving_time_28d_s,
  sum(climb) over last_28 as total_elevation_gain_28d_m,
  (sum(activities) over last_365)::bigint as activity_count_365d,
  sum(metres) over last_365 as distance_365d_m,
  sum(metres) over last_365 / 1000 as distance_365d_km,
  sum(metres) over last_365 / 1609.344 as distance_365d_miles,
  sum(seconds) over last_365 as moving_time_365d_s,
  sum(climb) over last_365 as total_elevation_gain_365d_m
from filled
window
  last_7 as (partition by athlete, sport_family order by day rows 6 preceding),
  last_28 as (partition by athlete, sport_family order by day rows 27 preceding),
  last_365 as (partition by athlete, sport_family order by day rows 364 preceding);
comment on view rolling_totals is 'For each day up to today what the last 7, 28 and 365 days came to, by family of sports';
comment on column rolling_totals.day is 'Local day; from the first with an activity to today, none left out';
comment on column rolling_totals.activity_count_7d is 'Activities in the 7 days that end with this one';
comment on column rolling_totals.distance_7d_m is 'm in these 7 days';
comment on column rolling_totals.distance_7d_km is 'km in these 7 days';
comment on column rolling_totals.distance_7d_miles is 'Miles in these 7 days';
comment on column rolling_totals.moving_time_7d_s is 's in motion in these 7 days';
comment on column rolling_totals.total_elevation_gain_7d_m is 'm climbed in these 7 days';
comment on column rolling_totals.activity_count_28d is 'Activities in the 28 days that end with this one';
comment on column rolling_totals.distance_28d_m is 'm in these 28 days';
comment on column rolling_totals.distance_28d_km is 'km in these 28 days';
comment on column rolling_totals.distance_28d_miles is 'Miles in these 28 days';
comment on column rolling_totals.moving_time_28d_s is 's in motion in these 28 days';
comment on column rolling_totals.total_elevation_gain_28d_m is 'm climbed in these 28 days';
comment on column rolling_totals.activity_count_365d is 'Activities in the 365 days that end with this one';
comment on column rolling_totals.distance_365d_m is 'm in these 365 days';
comment on column rolling_totals.distance_365d_km is 'km in these 365 days';
comment on column rolling_totals.distance_365d_miles is 'Miles in these 365 days';
comment on column rolling_totals.moving_time_365d_s is 's in motion in these 365 days';
comment on column rolling_totals.total_elevation_gain_365d_m is 'm climbed in these 365 days';
comment on column rolling_totals.sport_family is 'run, walk, ride, swim, winter, water, other (table sport_families), or all';
