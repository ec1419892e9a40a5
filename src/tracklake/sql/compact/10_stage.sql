-- The newest version of each record in the new shards, unless gold knows one that is at least as new.
-- What was read from one file counts as one: the newest reading replaces all of an older one.
create or replace temp table staged as
select
  *,
  file_sha256 is not null and not starts_with(source_id, 'strava-export/') as is_reading,
  min(ingested_at) over (partition by record_id) as first_seen_at
from read_parquet(getvariable('activity_shards'), union_by_name = true)
qualify row_number() over (partition by record_id order by ingested_at desc, content_hash desc) = 1;

-- An older version tells gold only when the record was first seen, and the other way round.
update activity_sources
set first_ingested_at = s.first_seen_at
from staged as s
where activity_sources.record_id = s.record_id
  and activity_sources.first_ingested_at > s.first_seen_at;

update staged
set first_seen_at = a.first_ingested_at
from activity_sources as a
where a.record_id = staged.record_id and a.first_ingested_at < staged.first_seen_at;

create or replace temp table touched_files as
select distinct athlete, file_sha256 from staged where file_sha256 is not null;

delete from staged
using activity_sources as a
where a.record_id = staged.record_id
  and (a.ingested_at, a.content_hash) >= (staged.ingested_at, staged.content_hash);

create or replace temp table readings as
select a.record_id, a.athlete, a.file_sha256, a.ingested_at
from activity_sources as a
inner join touched_files as f on f.athlete = a.athlete and f.file_sha256 = a.file_sha256
where not starts_with(a.source_id, 'strava-export/');

create or replace temp table newest_readings as
select athlete, file_sha256, max(ingested_at) as ingested_at
from (
  select athlete, file_sha256, ingested_at from readings
  union all
  select athlete, file_sha256, ingested_at from staged where is_reading
)
group by athlete, file_sha256;

delete from staged
using newest_readings as n
where staged.is_reading
  and n.athlete = staged.athlete and n.file_sha256 = staged.file_sha256
  and n.ingested_at > staged.ingested_at;

create or replace temp table superseded as
select record_id from staged
union
select r.record_id
from readings as r
inner join newest_readings as n on n.athlete = r.athlete and n.file_sha256 = r.file_sha256
where n.ingested_at > r.ingested_at;
