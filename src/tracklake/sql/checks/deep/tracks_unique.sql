-- An activity with two geometries.
select activity_id, count(*) as copies from activity_tracks group by all having count(*) > 1
