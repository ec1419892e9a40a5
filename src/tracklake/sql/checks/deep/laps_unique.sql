-- Two laps with one number, or a lap of no activity.
select activity_id, lap_index from activity_laps group by all having count(*) > 1
union all
select activity_id, lap_index from activity_laps where activity_id not in (select id from activities)
