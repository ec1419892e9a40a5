-- The geometry of some activities, by id, in any order.
select t.activity_id, t.wkb
from activity_tracks as t
where t.activity_id in (select unnest(cast($1 as bigint[])))
