-- An activity whose points are not the number it should have; `tracklake pull --all` reads the originals again.
select a.id, a.point_count, count(p.activity_id) as points
from activities as a
left join activity_streams as p on p.activity_id = a.id
where a.leg_count = 0
group by a.id, a.point_count
having a.point_count <> count(p.activity_id)
