-- The weather of each full hour that an activity touches, put together from what the services say:
-- the archive's word, else that of the stitched forecasts, else the forecast's.
create or replace view activity_hours as
with hours as (
  select
    activity_id, cell_lat, cell_lng,
    unnest(range(
      epoch_us(first_hour) // 3600000000, epoch_us(last_hour) // 3600000000 + 1
    )) as hour_number
  from activity_cells
  where obstacle is null
),
ranked as (
  select
    h.activity_id,
    h.hour_number,
    w.*,
    case service when 'archive' then 0 when 'historical_forecast' then 1 else 2 end as choice
  from hours as h
  inner join weather_hours as w
    on w.cell_lat = h.cell_lat and w.cell_lng = h.cell_lng
    and w.hour_utc = make_timestamptz(h.hour_number * 3600000000)
)
select
  activity_id,
  make_timestamptz(hour_number * 3600000000) as hour_utc,
  arg_min(service, choice) filter (where temperature_celsius is not null) as service,
  arg_min(temperature_celsius, choice) as temperature_celsius,
  arg_min(feels_like_celsius, choice) as feels_like_celsius,
  arg_min(humidity_percent, choice) as humidity_percent,
  arg_min(pressure_hpa, choice) as pressure_hpa,
  -- Speed and direction are of one wind.
  arg_min(wind_speed_ms, choice)
    filter (where wind_direction_degrees is not null) as wind_speed_ms,
  arg_min(wind_direction_degrees, choice)
    filter (where wind_speed_ms is not null) as wind_direction_degrees,
  arg_min(weather_code, choice) as weather_code,
  arg_min(precipitation_mm, choice) as precipitation_mm,
  arg_min(cloud_cover_percent, choice) as cloud_cover_percent,
  arg_min(visibility_meters, choice) as visibility_meters,
  arg_min(uv_index, choice) as uv_index,
  bool_or(is_final) as is_final,
  max(fetched_at) as fetched_at
from ranked
group by activity_id, hour_number;
comment on view activity_hours is 'The weather of each full hour that an activity touches, in the cell where it starts. Weather data by Open-Meteo.com (CC BY 4.0)';
comment on column activity_hours.activity_id is 'activities.id';
comment on column activity_hours.hour_utc is 'A full hour, UTC, from the one before the start to the one after the end';
comment on column activity_hours.service is 'Whose temperature it is: archive, historical_forecast, forecast';
comment on column activity_hours.temperature_celsius is 'Degrees Celsius, 2 m above the ground';
comment on column activity_hours.feels_like_celsius is 'Degrees Celsius, with wind, humidity and sun';
comment on column activity_hours.humidity_percent is 'Relative humidity, percent';
comment on column activity_hours.pressure_hpa is 'hPa at the ground (not reduced to the sea)';
comment on column activity_hours.wind_speed_ms is 'm/s, 10 m above the ground';
comment on column activity_hours.wind_direction_degrees is 'Degrees from north, clockwise: where the wind comes from';
comment on column activity_hours.weather_code is 'WMO 4677, as Open-Meteo uses it';
comment on column activity_hours.precipitation_mm is 'mm in the hour that ends then';
comment on column activity_hours.cloud_cover_percent is 'Percent of the sky';
comment on column activity_hours.visibility_meters is 'm; never the archive''s, which has none';
comment on column activity_hours.uv_index is 'UV index; never the archive''s, which has none';
comment on column activity_hours.is_final is 'The archive has had its final word on it';
comment on column activity_hours.fetched_at is 'UTC, newest';
