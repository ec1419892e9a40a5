-- A segment effort that is there twice, or one of no activity.
select effort_id, activity_id from activity_segment_efforts group by all having count(*) > 1
union all
select effort_id, activity_id from activity_segment_efforts where activity_id not in (select id from activities)
