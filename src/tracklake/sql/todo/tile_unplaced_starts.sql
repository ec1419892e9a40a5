-- The geometry of tracks whose activity has no start position of its own.
select t.activity_id, t.wkb
from activity_tracks as t
inner join activities as a on a.id = t.activity_id
where not coalesce(
    a.start_lng between -180 and 180 and a.start_lat between -90 and 90, false
)
