-- Bikes and shoes; the newest word on each wins.
create or replace temp table staged_gear as
with versions as (
  select * from read_parquet(
    getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
  )
  where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
  union all by name
  select  -- columns that shards of before Strava lack
    null::varchar as nickname, null::double as distance_m, null::boolean as is_retired,
    null::boolean as is_primary
  where false
)
select * from versions
qualify row_number() over (
  partition by athlete, gear_id order by ingested_at desc, content_hash desc
) = 1;

delete from staged_gear
using gear as g
where g.athlete = staged_gear.athlete and g.gear_id = staged_gear.gear_id
  and (g.ingested_at, g.content_hash) >= (staged_gear.ingested_at, staged_gear.content_hash);

delete from gear where (athlete, gear_id) in (select (athlete, gear_id) from staged_gear);

insert into gear by name
select
  gear_id, athlete, name, kind, brand, model, nickname, distance_m, is_retired, is_primary, ingested_at, content_hash from staged_gear;
