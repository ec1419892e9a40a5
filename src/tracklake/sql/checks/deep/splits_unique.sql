-- Two splits with one number, or a split of no activity.
with splits as (
  select 'km' as unit, activity_id, split_index from activity_splits_metric
  union all
  select 'mi', activity_id, split_index from activity_splits_standard
)
select * from splits group by all having count(*) > 1
union all
select * from splits where activity_id not in (select id from activities)
