-- Every file that came in; the newest word on it wins.
create or replace temp table staged_files as
select * from read_parquet(
  getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
)
where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
qualify row_number() over (
  partition by athlete, source_id order by ingested_at desc, content_hash desc
) = 1;

delete from staged_files
using original_files as o
where o.athlete = staged_files.athlete and o.sha256 = staged_files.source_id
  and (o.ingested_at, o.content_hash) >= (staged_files.ingested_at, staged_files.content_hash);

delete from original_files
where (athlete, sha256) in (select (athlete, source_id) from staged_files);

insert into original_files by name
select
  source_id as sha256, athlete, file_sha256, size_bytes, file_format, location, seen_as, outcome,
  message, decoder_version, ingested_at, content_hash
from staged_files;
