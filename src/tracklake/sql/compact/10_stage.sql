-- The newest version of each record in the new shards, unless gold knows one that is at least as new.
-- What was read from one file counts as one: the newest reading replaces all of an older one.
create or replace temp table staged as
with versions as (
  select * from read_parquet(getvariable('activity_shards'), union_by_name = true)
  union all by name
  select  -- columns that shards of before Strava lack
    null::varchar as visibility, null::boolean as start_hidden, null::boolean as flagged,
    null::bigint as workout_type, null::bigint as kudos_count, null::bigint as comment_count,
    null::bigint as athlete_count, null::bigint as photo_count, null::bigint as achievement_count,
    null::bigint as pr_count, null::double as suffer_score,
    null::double as weighted_average_watts, null::double as kilojoules,
    null::boolean as device_watts, null::bigint as upload_id
  where false
)
select
  * replace (
    -- A row of an export that came without its files still names the file it named before.
    arg_max(file_sha256, ingested_at) over (partition by record_id) as file_sha256
  ),
  max(ingested_at) filter (where file_sha256 is not null) over (partition by record_id)
    as file_linked_at,
  source = 'files' and file_sha256 is not null and not starts_with(source_id, 'strava-export/')
    as is_reading,
  -- Only files as wholes and rows of exports need to remember when they were first seen.
  case
    when leg_index > 0 or contains(source_id, '#') then ingested_at
    else min(ingested_at) over (partition by record_id)
  end as first_seen_at
from versions
qualify row_number() over (partition by record_id order by ingested_at desc, content_hash desc) = 1;

-- All that is spoken of, also by versions that gold will not take.
create or replace temp table mentioned as select record_id, strava_id from staged;

-- The files that staged records name, and those they named before.
insert into touched_files
select athlete, file_sha256 from staged where file_sha256 is not null
union
select athlete, file_sha256 from records
where file_sha256 is not null
  and (
    record_id in (select record_id from staged) or strava_id in (select strava_id from staged)
  );

-- An older version still tells gold when the record was first seen and which file it last named,
-- and the other way round.
update records
set first_ingested_at = s.first_seen_at
from staged as s
where records.record_id = s.record_id
  and records.first_ingested_at > s.first_seen_at
  and records.leg_index is not distinct from s.leg_index
  and (s.leg_index is null or (s.leg_index = 0 and not contains(s.source_id, '#')));

update records
set file_sha256 = s.file_sha256, file_linked_at = s.file_linked_at
from staged as s
where records.record_id = s.record_id
  and s.file_linked_at > coalesce(records.file_linked_at, '-infinity'::timestamptz);

update staged
set first_seen_at = a.first_ingested_at
from records as a
where a.record_id = staged.record_id and a.first_ingested_at < staged.first_seen_at
  and (staged.leg_index is null or (staged.leg_index = 0 and not contains(staged.source_id, '#')));

update staged
set file_sha256 = a.file_sha256, file_linked_at = a.file_linked_at
from records as a
where a.record_id = staged.record_id
  and a.file_linked_at > coalesce(staged.file_linked_at, '-infinity'::timestamptz);

delete from staged
using records as a
where a.record_id = staged.record_id
  and (a.ingested_at, a.content_hash) >= (staged.ingested_at, staged.content_hash);

create or replace temp table readings as
select a.record_id, a.athlete, a.file_sha256, a.ingested_at
from records as a
inner join touched_files as f on f.athlete = a.athlete and f.file_sha256 = a.file_sha256
where a.source = 'files' and not starts_with(a.source_id, 'strava-export/');

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
