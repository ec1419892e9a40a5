-- What others than Strava have, record by record: the whole activity, its file if there is one, and
-- what Strava has, or had, of it. $athlete.
with strava as (
  select
    activity_id,
    bool_or(source = 'strava' and gone_at is null) as is_there,
    bool_or(source = 'strava') as was_there,
    bool_or(starts_with(source_id, 'strava-export/')) as in_archive,
    min(coalesce(strava_id::varchar, source_id)) as strava_id
  from records
  where athlete = $athlete and (source = 'strava' or strava_id is not null)
  group by activity_id
),

-- Garmin's legs of a multisport outing, which say of the whole that it has some.
legs as (
  select distinct whole.record_id
  from records as whole
  inner join records as leg
    on leg.athlete = whole.athlete and leg.source = whole.source and leg.is_stub
    and leg.record_id <> whole.record_id and leg.start_date >= whole.start_date
    and leg.start_date < whole.start_date + to_seconds(greatest(whole.elapsed_time, 1))
  where whole.athlete = $athlete and whole.source = 'garmin' and not coalesce(whole.is_stub, false)
),

originals as (
  select file_sha256, location, size_bytes, file_format
  from original_files
  where athlete = $athlete and outcome = 'activity'
  qualify row_number() over (partition by file_sha256 order by size_bytes, location) = 1
),

own as (
  select
    r.*,
    coalesce(r.file_sha256, s.file_sha256) as original_sha256,
    greatest(coalesce(r.point_count, 0), coalesce(s.point_count, 0)) as points,
    s.record_id is null as was_not_fetched
  from records as r
  left join record_streams as s on s.record_id = r.record_id
  where
    r.athlete = $athlete and r.source <> 'strava' and r.gone_at is null and r.leg_index = 0
    and r.activity_id is not null and r.start_date is not null
    and not starts_with(r.source_id, 'strava-export/') and not coalesce(r.is_stub, false)
)

select
  r.activity_id,
  r.record_id,
  r.source,
  r.source_id,
  epoch_us(r.first_ingested_at) / 1e6 as first_ingested_s,
  r.external_id,
  r.strava_id as named_strava_id,
  r.original_sha256 as file_sha256,
  epoch_us(r.start_date) / 1e6 as start_s,
  r.elapsed_time as elapsed_s,
  r.moving_time as moving_s,
  r.distance as distance_m,
  r.sport_type as record_sport_type,
  coalesce(r.start_hidden, false) as start_hidden,
  r.utc_offset_s,
  r.start_lat,
  r.start_lng,
  coalesce(r.leg_count, 0) > 0 or l.record_id is not null as has_legs,
  coalesce(a.name, r.name) as name,
  coalesce(a.sport_type, r.sport_type) as sport_type,
  coalesce(r.trainer, false) as trainer,
  coalesce(r.manual, false) as manual,
  r.points,
  r.source = 'garmin' and r.was_not_fetched as still_to_come,
  count(*) over (partition by r.source, r.original_sha256) as sharing,
  coalesce(r.file_format, o.file_format) as file_format,
  o.location,
  o.size_bytes,
  coalesce(t.is_there, false) as is_there,
  coalesce(t.was_there, false) as was_there,
  coalesce(t.in_archive, false) as in_archive,
  t.strava_id
from own as r
left join activities as a on a.id = r.activity_id
left join strava as t on t.activity_id = r.activity_id
left join legs as l on l.record_id = r.record_id
left join originals as o on o.file_sha256 = r.original_sha256
order by r.activity_id, r.record_id
