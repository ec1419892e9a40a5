-- Which activity a record belongs to. Strava's own record, the row of its export and the file that
-- this row names are one activity. It bears Strava's id if Strava was there first (or at the same
-- time), else the file's, so that ids stay as they are when the other comes later.
create or replace temp table candidates as
with near as (
  select record_id, athlete, strava_id, file_sha256 from records
  where record_id in (select record_id from touched)
  union
  select r.record_id, r.athlete, r.strava_id, r.file_sha256
  from records as r
  inner join touched_files as f on f.athlete = r.athlete and f.file_sha256 = r.file_sha256
),
same_strava as (
  select record_id, athlete, file_sha256 from near
  union
  select record_id, athlete, file_sha256 from records
  where strava_id in (select strava_id from near)
),
same_file as (
  select record_id from same_strava
  union
  select r.record_id from records as r
  inner join (select distinct athlete, file_sha256 from same_strava) as f
    on f.athlete = r.athlete and f.file_sha256 = r.file_sha256
)
select
  record_id, athlete, source, source_id, strava_id, file_sha256, first_ingested_at, ingested_at
from records
where record_id in (select record_id from same_file)
   or strava_id in (
     select strava_id from records where record_id in (select record_id from same_file)
   );

create or replace temp table owners as
select strava_id, first(athlete order by first_ingested_at, athlete) as athlete
from records
where strava_id in (select strava_id from candidates)
group by strava_id;

create or replace temp table assignments as
with strava_rows as (
  -- Strava's id belongs to whoever had it first; another athlete's record gets an id of its own.
  select
    c.* replace (case when o.athlete = c.athlete then c.strava_id end as strava_id),
    c.strava_id as named_id
  from candidates as c
  inner join owners as o on o.strava_id = c.strava_id
),
groups as (
  select
    athlete, named_id,
    min(first_ingested_at) as first_ingested_at,
    max(file_sha256) as file_sha256,  -- only the export's row names one
    min(strava_id) as strava_id
  from strava_rows
  group by athlete, named_id
),
exports as (
  select
    athlete, file_sha256,
    first(strava_id order by first_ingested_at, named_id) as strava_id,
    min(first_ingested_at) as first_ingested_at
  from groups
  where file_sha256 is not null
  group by athlete, file_sha256
),
wholes as (
  select
    c.athlete, c.file_sha256, c.record_id,
    coalesce(
      case when e.first_ingested_at <= c.first_ingested_at then e.strava_id end, c.record_id
    ) as id
  from candidates as c
  left join exports as e using (athlete, file_sha256)
  where c.source = 'files' and c.source_id = c.file_sha256
),
named as (
  select
    r.record_id,
    coalesce(w.id, r.strava_id, r.record_id) as id,
    case
      when w.id is null then 'own'
      when starts_with(r.source_id, 'strava-export/') then 'export_filename'
      else 'strava_id'
    end as method
  from strava_rows as r
  inner join groups as g on g.athlete = r.athlete and g.named_id = r.named_id
  left join wholes as w on w.athlete = g.athlete and w.file_sha256 = g.file_sha256
  union all
  select c.record_id, coalesce(w.id, c.record_id), 'own'
  from candidates as c
  left join wholes as w on w.record_id = c.record_id
  where c.strava_id is null
),
-- What is gone: Strava's record since its tombstone, and the export's row of the same id with it.
gone as (
  select c.record_id, c.athlete, c.source, c.strava_id, t.ingested_at as gone_at
  from candidates as c
  inner join record_tombstones as t
    on t.record_id = c.record_id and t.ingested_at > c.ingested_at
)
select n.*, coalesce(own.gone_at, strava.gone_at) as gone_at
from named as n
inner join candidates as c on c.record_id = n.record_id
left join gone as own on own.record_id = c.record_id
left join gone as strava
  on strava.source = 'strava' and strava.athlete = c.athlete and strava.strava_id = c.strava_id
  and starts_with(c.source_id, 'strava-export/');

update records
set activity_id = a.id, match_method = a.method, gone_at = a.gone_at
from assignments as a
where a.record_id = records.record_id
  and (records.activity_id, records.match_method, records.gone_at)
    is distinct from (a.id, a.method, a.gone_at);

create or replace temp table affected as
select id from assignments
union
select old_activity_id from touched where old_activity_id is not null;
