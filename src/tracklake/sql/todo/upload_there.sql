-- What Strava has, or had: to know it again when it is listed. is_lost: it was deleted there, and
-- belongs to no activity that anybody else has. $athlete.
with others as (
  select activity_id from records
  where athlete = $athlete and gone_at is null and not coalesce(is_stub, false)
)

select
  activity_id,
  record_id,
  source,
  source_id,
  epoch_us(first_ingested_at) / 1e6 as first_ingested_s,
  external_id,
  strava_id as named_strava_id,
  file_sha256,
  epoch_us(start_date) / 1e6 as start_s,
  elapsed_time as elapsed_s,
  moving_time as moving_s,
  distance as distance_m,
  sport_type as record_sport_type,
  coalesce(start_hidden, false) as start_hidden,
  utc_offset_s,
  start_lat,
  start_lng,
  coalesce(leg_count, 0) > 0 as has_legs,
  gone_at is not null and activity_id not in (select activity_id from others) as is_lost
from records
where athlete = $athlete and source = 'strava' and activity_id is not null
