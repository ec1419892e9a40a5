-- The newest version of each record in the new shards, unless gold knows one that is at least as new.
create or replace temp table staged_versions as
select * from read_parquet(getvariable('activity_shards'), union_by_name = true);

create or replace temp table staged as
select
  v.*,
  min(v.ingested_at) over (partition by v.record_id) as first_seen_at
from staged_versions as v
qualify row_number() over (
  partition by v.record_id order by v.ingested_at desc, v.content_hash desc
) = 1;

-- An older version tells gold only when the record was first seen.
update activity_sources
set first_ingested_at = s.first_seen_at
from staged as s
where activity_sources.record_id = s.record_id
  and activity_sources.first_ingested_at > s.first_seen_at;

create or replace temp table touched_files as
select distinct athlete, file_sha256 from staged where file_sha256 is not null;

update staged
set first_seen_at = a.first_ingested_at
from activity_sources as a
where a.record_id = staged.record_id and a.first_ingested_at < staged.first_seen_at;

delete from staged
using activity_sources as a
where a.record_id = staged.record_id
  and (a.ingested_at, a.content_hash) >= (staged.ingested_at, staged.content_hash);
