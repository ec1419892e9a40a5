-- A calendar to colour: each day from the first activity to today, by family of sports.
-- columns as in activities
create or replace view heatmap_days as
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
levels as (
  select
    *,
    -- The quarter of the active days it is in, by time in motion; equal days are in the same.
    (1 + 4 * (rank() over by_time - 1) // count(*) over everything)::integer as level
  from athlete_days
  window
    everything as (partition by athlete, sport_family),
    by_time as (partition by athlete, sport_family order by coalesce(moving_time, 0))
)
select
  c.athlete,
  c.sport_family,
  c.day,
  isoyear(c.day) as iso_year,
  week(c.day) as iso_week,
  isodow(c.day) as iso_weekday,
  coalesce(d.activity_count, 0) as activity_count,
  coalesce(d.distance, 0) as distance,
  coalesce(d.distance_km, 0) as distance_km,
  coalesce(d.distance_miles, 0) as distance_miles,
  coalesce(d.moving_time, 0) as moving_time,
  coalesce(d.total_elevation_gain, 0) as total_elevation_gain,
  coalesce(d.level, 0) as level
from calendar as c
left join levels as d
  on d.athlete = c.athlete and d.sport_family = c.sport_family and d.day = c.day;
comment on view heatmap_days is 'A calendar to colour: each day from the first activity to today, by family of sports';
comment on column heatmap_days.day is 'Local day; none left out, with zeros where there was nothing';
comment on column heatmap_days.iso_year is 'Year that the week belongs to (ISO 8601)';
comment on column heatmap_days.iso_week is 'Number of the week, 1 to 53 (ISO 8601)';
comment on column heatmap_days.iso_weekday is '1 Monday to 7 Sunday';
comment on column heatmap_days.level is '0: nothing; 1 to 4: the quarter of the active days it is in, by time in motion';
comment on column heatmap_days.sport_family is 'run, walk, ride, swim, winter, water, other (table sport_families), or all';
comment on column heatmap_days.distance_km is 'km';
comment on column heatmap_days.distance_miles is 'Miles';
comment on column heatmap_days.activity_count is 'Activities that started on it';
