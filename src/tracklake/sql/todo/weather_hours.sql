-- Days of weather that activities need and that are not here, by service and cell, newest first.
-- $athlete, $now (UTC), $conditions (on activity_id, starts_at). A day is final six days after it;
-- the archive lacks visibility and UV, the stitched forecasts have them from 2021.
with needed as (
  select distinct cell_lat, cell_lng, make_timestamptz(hour_number * 3600000000) as hour_utc
  from (
    select
      cell_lat, cell_lng,
      unnest(range(
        epoch_us(first_hour) // 3600000000, epoch_us(last_hour) // 3600000000 + 1
      )) as hour_number
    from activity_cells
    where athlete = $athlete and obstacle is null and starts_at <= $now and $conditions
  )
),
known as (
  select
    n.cell_lat, n.cell_lng, n.hour_utc,
    make_timestamp(epoch_us(n.hour_utc))::date as day,
    make_timestamp(epoch_us($now))::date - make_timestamp(epoch_us(n.hour_utc))::date as age_days,
    -- Nothing said, too early for the archive: asked again after another six days.
    coalesce(bool_or(
      w.service = 'archive' and (w.is_final or w.fetched_at > $now - interval 6 days)
    ), false) as in_archive,
    coalesce(bool_or(w.service = 'forecast'), false) as in_forecast,
    coalesce(bool_or(w.service = 'historical_forecast'), false) as in_history
  from needed as n
  left join weather_hours as w
    on w.cell_lat = n.cell_lat and w.cell_lng = n.cell_lng and w.hour_utc = n.hour_utc
  group by n.cell_lat, n.cell_lng, n.hour_utc
)
select distinct service, cell_lat, cell_lng, day
from (
  select 'archive' as service, cell_lat, cell_lng, day
  from known
  where age_days >= 6 and not in_archive
  union all
  select 'forecast', cell_lat, cell_lng, day
  from known
  where age_days < 6 and not in_forecast and hour_utc <= $now + interval 1 hour
  union all
  select 'historical_forecast', cell_lat, cell_lng, day
  from known
  where age_days >= 6 and day >= date '2021-01-01' and not in_history and not in_forecast
)
order by day desc, service, cell_lat, cell_lng
