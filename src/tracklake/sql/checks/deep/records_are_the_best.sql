-- A record over a distance that is not the fastest effort, or one that stands twice.
select b.athlete, b.sport_family, b.distance_name
from best_efforts_by_distance as b
left join personal_records as p
  on p.athlete = b.athlete and p.sport_family = b.sport_family
  and p.record = 'fastest' and p.distance_name = b.distance_name
where b.effort_rank = 1 and p.value is distinct from b.elapsed_time
union all
select athlete, sport_family, coalesce(distance_name, record)
from personal_records
group by athlete, sport_family, record, distance_name
having count(*) > 1
