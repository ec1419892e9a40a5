-- Cells in which activities start or end and of which nothing is known by $method in $version,
-- newest first. $athlete, $conditions (on activity_id, starts_at).
select e.lat_e3, e.lng_e3
from activity_ends as e
where e.athlete = $athlete and e.method = $method and $conditions
  and not exists (
    from place_cells as p
    where p.method = e.method and p.lat_e3 = e.lat_e3 and p.lng_e3 = e.lng_e3
      and p.dataset_version = $version
  )
group by e.lat_e3, e.lng_e3
order by max(e.starts_at) desc nulls last, e.lat_e3, e.lng_e3
