-- Intervals; the newest word on each record wins, and that there are none is a word too: they were
-- made of points that may be gone.
create or replace temp table staged_intervals as
select record_id, coalesce(intervals, []) as intervals, ingested_at, content_hash
from read_parquet(
  getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
)
where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
qualify row_number() over (partition by record_id order by ingested_at desc, content_hash desc) = 1;

delete from staged_intervals
using record_intervals as i
where i.record_id = staged_intervals.record_id
  and (i.ingested_at, i.content_hash)
    >= (staged_intervals.ingested_at, staged_intervals.content_hash);

delete from record_intervals where record_id in (select record_id from staged_intervals);

insert into record_intervals by name select * from staged_intervals;
