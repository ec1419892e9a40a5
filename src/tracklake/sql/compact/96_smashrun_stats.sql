-- Totals of athletes at SmashRun; the newest word wins.
create or replace temp table staged_stats as
select * exclude (source, source_id, file_row_number)
from read_parquet(
  getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
)
where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
qualify row_number() over (
  partition by athlete order by ingested_at desc, content_hash desc
) = 1;

delete from staged_stats
using smashrun_stats as t
where t.athlete = staged_stats.athlete
  and (t.ingested_at, t.content_hash) >= (staged_stats.ingested_at, staged_stats.content_hash);

delete from smashrun_stats where athlete in (select athlete from staged_stats);

insert into smashrun_stats by name select * from staged_stats;
