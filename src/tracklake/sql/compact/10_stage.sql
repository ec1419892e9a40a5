-- The newest version of each record in the new rows, unless gold knows one that is at least as new.
-- What was read from one file counts as one: the newest reading replaces all of an older one.
create or replace temp table incoming_activities as
with versions as (
  select * from read_parquet(
    getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
  )
  where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
  union all by name
  select  -- columns that older shards lack
    null::varchar as visibility, null::boolean as start_hidden, null::boolean as flagged,
    null::bigint as workout_type, null::bigint as kudos_count, null::bigint as comment_count,
    null::bigint as athlete_count, null::bigint as photo_count, null::bigint as achievement_count,
    null::bigint as pr_count, null::double as suffer_score,
    null::double as weighted_average_watts, null::double as kilojoules,
    null::boolean as device_watts, null::bigint as upload_id, null::boolean as is_stub
  where false
)
select * from versions;

-- Narrow: row_index finds the rest of a row.
create or replace temp table staged as
with versions as (
  select
    rowid as row_index, record_id, athlete, source, source_id, strava_id, ingested_at, content_hash,
    -- A row of an export that came without its files still names the file it named before.
    arg_max(file_sha256, ingested_at) over (partition by record_id) as file_sha256,
    max(ingested_at) filter (where file_sha256 is not null) over (partition by record_id)
      as file_linked_at,
    leg_index,
    -- Only files as wholes and rows of exports need to remember when they were first seen.
    leg_index is null or (leg_index = 0 and not contains(source_id, '#')) as remembers,
    case
      when leg_index > 0 or contains(source_id, '#') then ingested_at
      else min(ingested_at) over (partition by record_id)
    end as first_seen_at
  from incoming_activities
  qualify row_number() over (
    partition by record_id order by ingested_at desc, content_hash desc
  ) = 1
),
known as (
  select record_id, first_ingested_at, file_sha256, file_linked_at, ingested_at, content_hash
  from records
  where record_id in (select record_id from incoming_activities)
)
select
  v.* replace (
    case
      when k.file_linked_at > coalesce(v.file_linked_at, '-infinity'::timestamptz)
      then k.file_sha256
      else v.file_sha256
    end as file_sha256,
    greatest(k.file_linked_at, v.file_linked_at) as file_linked_at,
    case
      when v.remembers then least(k.first_ingested_at, v.first_seen_at) else v.first_seen_at
    end as first_seen_at
  ),
  v.source = 'files' and v.file_sha256 is not null
    and not starts_with(v.source_id, 'strava-export/') as is_reading,
  k.record_id is not null as is_known,
  k.record_id is null or (k.ingested_at, k.content_hash) < (v.ingested_at, v.content_hash)
    as is_newer
from versions as v
left join known as k on k.record_id = v.record_id;

-- The files that staged records name, and those they named before.
insert into touched_files
select athlete, file_sha256 from staged where file_sha256 is not null
union
select athlete, file_sha256 from records
where file_sha256 is not null
  and (
    record_id in (select record_id from staged) or strava_id in (select strava_id from staged)
  );

-- All that is spoken of, also by versions that gold will not take; files and exports that name
-- each other are looked at again.
insert into touched
select record_id, activity_id
from records
where record_id in (select record_id from staged)
   or strava_id in (select strava_id from staged)
   or (athlete, file_sha256) in (select (athlete, file_sha256) from touched_files)
union all
select record_id, null from staged where not is_known;

insert into rematched select record_id from touched;
create or replace temp table wanted as select record_id from touched;
insert into former from matching_inputs;

-- An older version still tells gold when the record was first seen and which file it last named;
-- the other way round, `staged` knows what gold knew.
update records
set
  first_ingested_at = case
    when s.remembers and records.leg_index is not distinct from s.leg_index then s.first_seen_at
    else records.first_ingested_at
  end,
  file_sha256 = case
    when s.file_linked_at is distinct from records.file_linked_at then s.file_sha256
    else records.file_sha256
  end,
  file_linked_at = s.file_linked_at
from staged as s
where records.record_id = s.record_id
  and not s.is_newer
  and (
    s.file_linked_at is distinct from records.file_linked_at
    or (
      s.remembers and records.leg_index is not distinct from s.leg_index
      and s.first_seen_at < records.first_ingested_at
    )
  );

create or replace temp table outdated_readings as
with readings as (
  select a.record_id, a.athlete, a.file_sha256, a.ingested_at, false as is_staged
  from records as a
  inner join touched_files as f on f.athlete = a.athlete and f.file_sha256 = a.file_sha256
  where a.source = 'files' and not starts_with(a.source_id, 'strava-export/')
  union all
  select record_id, athlete, file_sha256, ingested_at, true
  from staged
  where is_reading and is_newer
)
select record_id, is_staged
from readings
qualify ingested_at < max(ingested_at) over (partition by athlete, file_sha256);

delete from staged
where not is_newer or record_id in (select record_id from outdated_readings where is_staged);

-- What gold has and shall not have any more; of_file: with all its parts.
create or replace temp table superseded as
select record_id, source = 'files' as of_file from staged where is_known
union
select record_id, true from outdated_readings where not is_staged;
