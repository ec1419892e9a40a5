-- Days of athletes; the newest word on each day wins.
create or replace temp table staged_wellness as
select * exclude (source_id, file_row_number)
from read_parquet(
  getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
)
where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
qualify row_number() over (
  partition by athlete, source, date order by ingested_at desc, content_hash desc
) = 1;

delete from staged_wellness
using wellness as w
where w.athlete = staged_wellness.athlete and w.source = staged_wellness.source
  and w.date = staged_wellness.date
  and (w.ingested_at, w.content_hash)
    >= (staged_wellness.ingested_at, staged_wellness.content_hash);

delete from wellness
using staged_wellness as s
where s.athlete = wellness.athlete and s.source = wellness.source and s.date = wellness.date;

insert into wellness by name select * from staged_wellness;
