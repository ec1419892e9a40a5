-- What this batch touches; the steps of each entity add to it.
create or replace temp table touched (record_id BIGINT, old_activity_id BIGINT);
create or replace temp table touched_files (athlete VARCHAR, file_sha256 VARCHAR);
set variable kept_apart = (select kept_apart from warehouse_version);

-- What decides which records are one activity, of those in `wanted`: a filter from outside would come
-- after the joins. `rematched`: records of which it may change, `former`:
-- what it was before this batch, `unsettled`: records that are to be looked at again.
create or replace temp table wanted (record_id BIGINT);
create or replace temp view matching_inputs as
with archived as (  -- rows of Strava's archive of which Strava's own record is here
  select e.record_id, s.record_id as told_by
  from records as e
  inner join records as s on s.athlete = e.athlete and s.strava_id = e.strava_id
  where e.source = 'files' and e.strava_id is not null and s.source = 'strava'
),
gone as (
  select r.record_id
  from record_tombstones as b
  inner join records as r on r.record_id = b.record_id and b.ingested_at > r.ingested_at
)
select
  r.record_id, r.athlete, r.source, r.source_id, r.external_id, r.strava_id,
  coalesce(r.file_sha256, t.file_sha256) as file_sha256,
  epoch_us(r.first_ingested_at) as first_ingested_us,
  -- Strava's own record knows the time better than its archive's row.
  case when a.record_id is null then epoch_us(r.start_date) / 1e6 end as start_s,
  r.elapsed_time, r.moving_time, r.distance, r.sport_type,
  coalesce(r.start_hidden, false) as start_hidden,
  r.utc_offset_s,
  coalesce(r.timezone is not null or r.utc_offset_s is not null, false)
    or r.source in ('files', 'strava', 'garmin') as zone_known,
  coalesce(r.leg_count, 0) > 0 as has_legs,
  coalesce(r.leg_index, 0) as leg_index,
  coalesce(nullif(r.summary_polyline, ''), t.summary_polyline) as polyline,
  coalesce(r.start_lat, t.start_lat) as start_lat, coalesce(r.start_lng, t.start_lng) as start_lng,
  r.is_stub,
  -- The archive's row goes with Strava's record.
  r.record_id in (from gone) or coalesce(a.told_by in (from gone), false) as is_gone
from records as r
left join record_streams as t on t.record_id = r.record_id
left join archived as a on a.record_id = r.record_id
where r.record_id in (from wanted);

create or replace temp table regrouped (
  record_id BIGINT, founder_id BIGINT, method VARCHAR, confidence DOUBLE
);
create or replace temp table rematched (record_id BIGINT);
create or replace temp table former as from matching_inputs limit 0;
create or replace temp table unsettled (record_id BIGINT);
