-- Which activity a record belongs to: a file and the export's row that names it are one, and bear
-- Strava's id if the export was there first (or at the same time), so that ids stay as they are
-- when the other comes later.
create or replace temp table candidates as
select a.* from activity_sources as a
where a.record_id in (select record_id from touched)
   or (a.athlete, a.file_sha256) in (select (athlete, file_sha256) from touched_files);

create or replace temp table owners as
select
  strava_id,
  first(athlete order by first_ingested_at, athlete) as athlete,
  first(record_id order by first_ingested_at, athlete) as record_id
from activity_sources
where strava_id in (select strava_id from candidates)
group by strava_id;

create or replace temp table assignments as
with export_rows as (
  -- Strava's id belongs to whoever had it first; another athlete's row of it gets an id of its own.
  select c.* replace (case when o.record_id is null then c.strava_id end as strava_id)
  from candidates as c
  left join owners as o on o.strava_id = c.strava_id and o.athlete <> c.athlete
  where starts_with(c.source_id, 'strava-export/')
),
exports as (
  select
    athlete, file_sha256,
    first(strava_id order by first_ingested_at, strava_id) as strava_id,
    min(first_ingested_at) as first_ingested_at
  from export_rows
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
)
select
  c.record_id,
  coalesce(w.id, c.strava_id, c.record_id) as id,
  case when w.id is null then 'own' else 'export_filename' end as method
from export_rows as c
left join wholes as w using (athlete, file_sha256)
union all
select c.record_id, coalesce(w.id, c.record_id), 'own'
from candidates as c
left join wholes as w on w.record_id = c.record_id
where not starts_with(c.source_id, 'strava-export/');

update activity_sources
set activity_id = a.id, match_method = a.method
from assignments as a
where a.record_id = activity_sources.record_id
  and (activity_sources.activity_id, activity_sources.match_method) is distinct from (a.id, a.method);

create or replace temp table renamed as
select distinct t.old_activity_id as old_id, a.id as new_id
from touched as t
inner join assignments as a using (record_id)
inner join activity_sources as s using (record_id)
where t.old_activity_id <> a.id and not starts_with(s.source_id, 'strava-export/');

create or replace temp table affected as
select id from assignments
union
select old_activity_id from touched where old_activity_id is not null;
