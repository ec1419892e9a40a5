-- Streaks that do not hold each active day exactly once, or touch one another.
with days as (
  select athlete, sport_family, count(distinct day) as day_count from activity_days group by all
),
streak_days as (
  select
    athlete, sport_family, sum(day_count) as day_count,
    bool_and(last_day - first_day + 1 = day_count) as is_whole
  from streaks
  group by all
),
gaps as (
  select
    athlete, sport_family,
    first_day - lag(last_day) over (partition by athlete, sport_family order by first_day) as gap_days
  from streaks
)
select d.athlete, d.sport_family
from days as d
left join streak_days as s on s.athlete = d.athlete and s.sport_family = d.sport_family
where s.day_count is distinct from d.day_count or not s.is_whole
union all
select athlete, sport_family from gaps where gap_days < 2
