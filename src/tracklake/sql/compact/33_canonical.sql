-- Which activity a record belongs to. Records that are one have a founder, the one that was there
-- first, and bear its id, so that ids stay as they are when another source comes later: Strava's id
-- where that is Strava's record (or the export's row of it), else the founder's own.
insert into touched
select r.record_id, r.activity_id
from records as r
inner join regrouped as g on g.record_id = r.record_id;

update records
set founder_id = g.founder_id, match_method = g.method, match_confidence = g.confidence
from regrouped as g
where g.record_id = records.record_id;

create or replace temp table rivals as
with near as (
  select strava_id from records
  where founder_id in (
    select founder_id from records where record_id in (select record_id from touched)
  )
)
select record_id, founder_id, athlete, source, source_id, strava_id, first_ingested_at
from records
where strava_id in (select strava_id from near);

-- Of all records of the groups that may change their id, or be gone.
create or replace temp table assignments as
with members as (
  select
    record_id, founder_id, athlete, strava_id, is_stub, ingested_at,
    case
      when source = 'strava' then 'record'
      when source = 'files' and starts_with(source_id, 'strava-export/') then 'export'
    end as of_strava
  from records
  where founder_id in (
    select founder_id from records where record_id in (select record_id from touched)
    union
    select record_id from rivals where founder_id = record_id
  )
),
bearers as (  -- an id of Strava's belongs to whoever had it first
  select
    strava_id,
    first(record_id order by first_ingested_at, athlete, source = 'files', record_id) as record_id
  from rivals
  where source = 'strava' or (source = 'files' and starts_with(source_id, 'strava-export/'))
  group by strava_id
),
gone as (
  select r.record_id, r.athlete, r.source, r.strava_id, t.ingested_at as gone_at
  from record_tombstones as t
  inner join records as r on r.record_id = t.record_id and t.ingested_at > r.ingested_at
  where r.record_id in (select record_id from members)
     or r.record_id in (select record_id from rivals)
),
told as (
  -- What is gone: a record since its tombstone, and the export's row of the same id with Strava's.
  select
    m.record_id, m.founder_id, m.is_stub, coalesce(own.gone_at, strava.gone_at) as gone_at
  from members as m
  left join gone as own on own.record_id = m.record_id
  left join gone as strava
    on m.of_strava = 'export' and strava.source = 'strava'
    and strava.athlete = m.athlete and strava.strava_id = m.strava_id
)
select
  t.record_id, t.gone_at,
  case
    -- A stub says that there is something elsewhere; by itself it is no activity.
    when t.is_stub and not bool_or(not t.is_stub and t.gone_at is null) over same_group then null
    else coalesce(b.strava_id, t.founder_id)
  end as id
from told as t
left join bearers as b on b.record_id = t.founder_id
window same_group as (partition by t.founder_id);

update records
set activity_id = a.id, gone_at = a.gone_at
from assignments as a
where a.record_id = records.record_id
  and (records.activity_id, records.gone_at) is distinct from (a.id, a.gone_at);

create or replace temp table affected as
select id from assignments where id is not null
union
select old_activity_id from touched where old_activity_id is not null;
