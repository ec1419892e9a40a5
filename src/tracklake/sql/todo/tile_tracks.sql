-- The geometry of the tracks of one start year (UTC), oldest first.
select t.activity_id, t.wkb
from activity_tracks as t
inner join activities as a on a.id = t.activity_id
where year(make_timestamp(epoch_us(a.start_date))) = $1
order by a.start_date, a.id
