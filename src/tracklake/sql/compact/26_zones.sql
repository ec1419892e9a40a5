-- Time in zones; the newest word on each record wins, and that there are none is no word.
create or replace temp table staged_zones as
select record_id, zones, ingested_at, content_hash
from read_parquet(
  getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
)
where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
  and outcome not in ('none', 'gone')
qualify row_number() over (partition by record_id order by ingested_at desc, content_hash desc) = 1;

delete from staged_zones
using record_zones as z
where z.record_id = staged_zones.record_id
  and (z.ingested_at, z.content_hash) >= (staged_zones.ingested_at, staged_zones.content_hash);

delete from record_zones where record_id in (select record_id from staged_zones);

insert into record_zones by name select * from staged_zones;

insert into touched
select r.record_id, r.activity_id from records as r
where r.record_id in (select record_id from staged_zones);
