-- Replace the superseded records; files and exports that name each other are looked at again.
create or replace temp table touched as
select a.record_id, a.activity_id as old_activity_id
from activity_sources as a
where a.record_id in (select record_id from superseded)
   or a.record_id in (select record_id from mentioned)
   or a.strava_id in (select strava_id from mentioned)
   or (a.athlete, a.file_sha256) in (select (athlete, file_sha256) from touched_files);

delete from activity_sources where record_id in (select record_id from superseded);

insert into activity_sources by name
select
  record_id as activity_id,
  record_id, athlete, source, source_id, external_id, strava_id, file_sha256, file_linked_at, file_format, problems,
  parent_record_id, stream_key,
  'own' as match_method, 1.0 as match_confidence,
  name, description, sport_type,
  make_timestamptz(round(start_s * 1e6)::bigint) as start_date,
  make_timestamp(round((start_s + coalesce(utc_offset_s, 0)) * 1e6)::bigint) as start_date_local,
  timezone, utc_offset_s, distance, moving_time, elapsed_time, total_elevation_gain,
  elev_high, elev_low, average_speed, max_speed, average_heartrate, max_heartrate,
  average_watts, max_watts, average_cadence, average_temp, calories,
  gear_id, commute, trainer, manual, device_name,
  start_lat, start_lng, end_lat, end_lng, summary_polyline,
  has_track, leg_index, leg_count, point_count,
  first_seen_at as first_ingested_at, ingested_at, content_hash
from staged;

insert into touched
select s.record_id, null from staged as s
where not exists (from touched as t where t.record_id = s.record_id);
