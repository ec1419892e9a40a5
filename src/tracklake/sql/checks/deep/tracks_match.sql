-- An activity that should have geometry and has none, or the other way round; `tracklake pull --all` reads the originals again.
select a.id, a.has_track
from activities as a
left join activity_tracks as t on t.activity_id = a.id
where a.leg_count = 0 and a.has_track <> (t.activity_id is not null)
