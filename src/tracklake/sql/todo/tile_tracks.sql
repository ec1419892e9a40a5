-- The geometry of some activities, in any order. $ids are numbers, not a parameter: so they reach the
-- scan of the Parquet files, which then reads three times less.
select t.activity_id, t.wkb
from activity_tracks as t
where t.activity_id in ($ids)
