-- A sport whose weeks, months or years do not add up to its activities.
with counted as (
  select athlete, sport_type, sum(activity_count) as activities from weekly_totals group by all
  union all
  select athlete, sport_type, sum(activity_count) from monthly_totals group by all
  union all
  select athlete, sport_type, sum(activity_count) from yearly_totals group by all
  union all
  select athlete, 'All', count(*) from activities where coalesce(leg_index, 0) = 0 group by all
  union all
  select athlete, coalesce(sport_type, 'Workout'), count(*)
  from activities
  where coalesce(leg_count, 0) = 0
  group by all
)
select athlete, sport_type, min(activities) as least, max(activities) as most
from counted
group by athlete, sport_type
having min(activities) <> max(activities) or count(*) <> 4
