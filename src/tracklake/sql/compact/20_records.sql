-- Replace the superseded records; files and exports that name each other are looked at again.
insert into touched
select a.record_id, a.activity_id as old_activity_id
from records as a
where a.record_id in (select record_id from superseded)
   or a.record_id in (select record_id from mentioned)
   or a.strava_id in (select strava_id from mentioned)
   or (a.athlete, a.file_sha256) in (select (athlete, file_sha256) from touched_files);

delete from records where record_id in (select record_id from superseded);

insert into records by name
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
  gear_id, commute, trainer, manual, visibility, start_hidden, flagged, workout_type,
  kudos_count, comment_count, athlete_count, photo_count, achievement_count, pr_count,
  suffer_score, weighted_average_watts, kilojoules, device_watts, upload_id, device_name,
  start_lat, start_lng, end_lat, end_lng, summary_polyline,
  has_track, leg_index, leg_count, point_count,
  first_seen_at as first_ingested_at, ingested_at, content_hash,
  list_filter([
    case when point_count > 0 then 'streams' end,
    case when has_track and coalesce(leg_count, 0) = 0 then 'track' end,
    case when len(laps) > 0 then 'laps' end,
    case when len(splits_metric) > 0 then 'splits_metric' end,
    case when len(splits_standard) > 0 then 'splits_standard' end,
    case when len(list_filter(best_efforts, lambda e: e.kind = 'distance')) > 0 then 'distance/computed' end,
    case when len(list_filter(best_efforts, lambda e: e.kind = 'power')) > 0 then 'power/computed' end
  ], lambda offer: offer is not null) as offers
from staged;

insert into touched
select s.record_id, null from staged as s
where not exists (from touched as t where t.record_id = s.record_id);
