-- Fitness, fatigue and form of each athlete, day by day up to today (Banister, Coggan).
create or replace view training_load as
with daily as (
  select athlete, day, sum(load) as load, count(*) as activity_count
  from activity_load
  group by athlete, day
),
spans as (
  select
    d.athlete,
    min(d.day) as first_day,
    -- Beyond the date line it may be tomorrow; what is later has a clock that was wrong.
    max(greatest(t.today, case when d.day <= t.today + 1 then d.day end)) as last_day
  from daily as d
  inner join athlete_today as t on t.athlete = d.athlete
  group by d.athlete
),
days as (
  select athlete, first_day, unnest(range(0, last_day - first_day + 1)) as day_number from spans
),
-- The sum of what each day leaves over is a running sum of load × e^(day / 42), times e^(-day / 42).
-- So that no power overflows it begins anew every 2,048 days, with what the block before left;
-- what is older than that counts 1e-21 of itself.
numbered as (
  select
    n.athlete,
    n.first_day + n.day_number::integer as day,
    coalesce(d.load, 0) as load,
    coalesce(d.activity_count, 0) as activity_count,
    n.day_number // 2048 as block,
    n.day_number % 2048 as place
  from days as n
  left join daily as d on d.athlete = n.athlete and d.day = n.first_day + n.day_number::integer
),
own as (
  select
    *,
    exp(-place / 42) * sum(load * exp(place / 42)) over so_far as own_ctl,
    exp(-place / 7) * sum(load * exp(place / 7)) over so_far as own_atl
  from numbered
  window so_far as (partition by athlete, block order by place)
),
summed as (
  select
    o.*,
    (1 - exp(-1 / 42)) * (o.own_ctl + coalesce(b.own_ctl, 0) * exp(-(o.place + 1) / 42)) as ctl,
    (1 - exp(-1 / 7)) * (o.own_atl + coalesce(b.own_atl, 0) * exp(-(o.place + 1) / 7)) as atl
  from own as o
  left join own as b on b.athlete = o.athlete and b.block = o.block - 1 and b.place = 2047
)
select
  athlete,
  day,
  activity_count,
  load,
  ctl,
  atl,
  coalesce(
    lag(ctl - atl) over (partition by athlete order by day), 0
  ) as tsb
from summed;
comment on view training_load is 'Fitness, fatigue and form of each athlete, day by day up to today (docs/models.md)';
comment on column training_load.athlete is 'Whose';
comment on column training_load.day is 'Local day; from the first activity to today, each one';
comment on column training_load.activity_count is 'Activities of that day, legs counted one by one';
comment on column training_load.load is 'Points of that day (activity_load)';
comment on column training_load.ctl is 'Chronic training load, fitness: mean of the days'' load, those before weighted by e^(-days / 42)';
comment on column training_load.atl is 'Acute training load, fatigue: the same with 7 days';
comment on column training_load.tsb is 'Training stress balance, form: ctl minus atl of the day before';
