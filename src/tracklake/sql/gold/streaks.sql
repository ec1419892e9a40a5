-- Every row of days without a gap, by family of sports; ranked by length.
-- columns as in activities
create or replace view streaks as
select
  d.athlete,
  d.sport_family,
  row_number() over (
    partition by d.athlete, d.sport_family order by count(*) desc, min(d.day)
  ) as streak_rank,
  count(*) as day_count,
  min(d.day) as first_day,
  max(d.day) as last_day,
  min(d.day) <= any_value(t.today) and max(d.day) >= any_value(t.today) - 1 as is_current,
  sum(d.activity_count)::bigint as activity_count,
  sum(d.distance) as distance,
  sum(d.distance) / 1000 as distance_km,
  sum(d.distance) / 1609.344 as distance_miles,
  sum(d.moving_time) as moving_time,
  sum(d.total_elevation_gain) as total_elevation_gain
from athlete_days as d
inner join athlete_today as t on t.athlete = d.athlete
group by d.athlete, d.sport_family, d.day - d.streak_day;
comment on view streaks is 'Every row of days without a gap, by family of sports; ranked by length';
comment on column streaks.streak_rank is '1: the longest; of equally long ones the earlier comes first';
comment on column streaks.day_count is 'Days in a row';
comment on column streaks.first_day is 'Its first local day';
comment on column streaks.last_day is 'Its last local day';
comment on column streaks.is_current is 'It stands: it reaches today, or yesterday and today is not over';
comment on column streaks.activity_count is 'Activities in it';
comment on column streaks.sport_family is 'run, walk, ride, swim, winter, water, other (table sport_families), or all';
comment on column streaks.distance_km is 'km';
comment on column streaks.distance_miles is 'Miles';
