-- Two best efforts over one distance or duration in one activity, or one of no activity.
select activity_id, kind, name from activity_best_efforts group by all having count(*) > 1
union all
select activity_id, kind, name from activity_best_efforts where activity_id not in (select id from activities)
