-- An activity that no source reports, or a record without its activity.
select coalesce(a.id, s.activity_id) as id
from activities as a
full join (select distinct activity_id from activity_sources) as s on s.activity_id = a.id
where a.id is null or s.activity_id is null
