-- Replace the superseded records; which activity they belong to is decided later, if need be.
create or replace temp table placed as
select record_id, activity_id, founder_id, match_method, match_confidence
from records
where record_id in (select record_id from superseded);

delete from records where record_id in (select record_id from superseded);

-- A new one is an activity by itself and gives it all it offers; the next steps see to the others.
insert into records by name
select
  case when p.record_id is null then s.record_id else p.activity_id end as activity_id,
  s.record_id, coalesce(p.founder_id, s.record_id) as founder_id,
  i.athlete, i.source, i.source_id, i.external_id, i.strava_id,
  s.file_sha256, s.file_linked_at, i.file_format, i.problems, i.parent_record_id, i.stream_key,
  coalesce(p.match_method, 'own') as match_method,
  coalesce(p.match_confidence, 1.0) as match_confidence,
  i.name, i.description, i.sport_type,
  make_timestamptz(round(i.start_s * 1e6)::bigint) as start_date,
  make_timestamp(round((i.start_s + coalesce(i.utc_offset_s, 0)) * 1e6)::bigint)
    as start_date_local,
  i.timezone, i.utc_offset_s, i.distance, i.moving_time, i.elapsed_time, i.total_elevation_gain,
  i.elev_high, i.elev_low, i.average_speed, i.max_speed, i.average_heartrate, i.max_heartrate,
  i.average_watts, i.max_watts, i.average_cadence, i.average_temp, i.calories,
  i.gear_id, i.commute, i.trainer, i.manual, i.visibility, i.start_hidden, i.flagged,
  i.workout_type, i.kudos_count, i.comment_count, i.athlete_count, i.photo_count,
  i.achievement_count, i.pr_count, i.suffer_score, i.weighted_average_watts, i.kilojoules,
  i.device_watts, i.upload_id, i.device_name,
  i.start_lat, i.start_lng, i.end_lat, i.end_lng, i.summary_polyline,
  i.has_track, i.leg_index, i.leg_count, i.point_count,
  s.first_seen_at as first_ingested_at, i.ingested_at, i.content_hash,
  coalesce(i.is_stub, false) as is_stub,
  list_filter([
    case when i.point_count > 0 then 'streams' end,
    case when i.has_track and coalesce(i.leg_count, 0) = 0 then 'track' end,
    case when len(i.laps) > 0 then 'laps' end,
    case when len(i.splits_metric) > 0 then 'splits_metric' end,
    case when len(i.splits_standard) > 0 then 'splits_standard' end,
    case when len(list_filter(i.best_efforts, lambda e: e.kind = 'distance')) > 0
      then 'distance/computed' end,
    case when len(list_filter(i.best_efforts, lambda e: e.kind = 'power')) > 0
      then 'power/computed' end
  ], lambda offer: offer is not null) as offers,
  list_sort(offers) as gives
from incoming_activities as i
inner join staged as s on s.row_index = i.rowid
left join placed as p on p.record_id = s.record_id;
