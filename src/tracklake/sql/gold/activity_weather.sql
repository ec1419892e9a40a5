-- Weather at the start of each activity and over it: between two hours on a straight line, winds as
-- vectors; precipitation, which is the sum of an hour, evenly within that hour.
create or replace view activity_weather as
with conditions (code, condition) as (
  values
    (0, 'Clear sky'), (1, 'Mainly clear'), (2, 'Partly cloudy'), (3, 'Overcast'), (45, 'Fog'),
    (48, 'Depositing rime fog'), (51, 'Light drizzle'), (53, 'Moderate drizzle'),
    (55, 'Dense drizzle'), (56, 'Light freezing drizzle'), (57, 'Dense freezing drizzle'),
    (61, 'Slight rain'), (63, 'Moderate rain'), (65, 'Heavy rain'), (66, 'Light freezing rain'),
    (67, 'Heavy freezing rain'), (71, 'Slight snowfall'), (73, 'Moderate snowfall'),
    (75, 'Heavy snowfall'), (77, 'Snow grains'), (80, 'Slight rain showers'),
    (81, 'Moderate rain showers'), (82, 'Violent rain showers'), (85, 'Slight snow showers'),
    (86, 'Heavy snow showers'), (95, 'Thunderstorm'), (96, 'Thunderstorm with slight hail'),
    (99, 'Thunderstorm with heavy hail')
),
-- Seconds from the first hour, exact in microseconds.
timed as (
  select
    h.*,
    (epoch_us(h.hour_utc) - epoch_us(c.first_hour)) / 1e6 as hour_s,
    (epoch_us(c.starts_at) - epoch_us(c.first_hour)) / 1e6 as start_s,
    (epoch_us(c.ends_at) - epoch_us(c.first_hour)) / 1e6 as end_s,
    (epoch_us(c.last_hour) - epoch_us(c.first_hour)) / 3600000000 + 1 as hours_needed
  from activity_hours as h
  inner join activity_cells as c on c.activity_id = h.activity_id
),
-- What each hour counts. On the line through all hours its share of a moment rises from 0 at the
-- hour before to 1 and falls to 0 at the hour after; over the activity, the mean of that.
shares as (
  select
    *,
    greatest(0, 1 - abs(hour_s - start_s) / 3600) as start_share,
    least(end_s, hour_s) - greatest(start_s, hour_s - 3600) as before_s,
    least(end_s, hour_s + 3600) - greatest(start_s, hour_s) as after_s,
    case
      when end_s = start_s then start_share
      else (
        case when before_s > 0 then before_s * (
          (least(end_s, hour_s) + greatest(start_s, hour_s - 3600)) / 2 - (hour_s - 3600)
        ) else 0 end
        + case when after_s > 0 then after_s * (
          (hour_s + 3600) - (least(end_s, hour_s + 3600) + greatest(start_s, hour_s)) / 2
        ) else 0 end
      ) / 3600 / (end_s - start_s)
    end as share
  from timed
),
lines as (
  select activity_id, start_share, share, unnest([
    {'name': 'temperature_celsius', 'value': temperature_celsius},
    {'name': 'feels_like_celsius', 'value': feels_like_celsius},
    {'name': 'humidity_percent', 'value': humidity_percent},
    {'name': 'pressure_hpa', 'value': pressure_hpa},
    {'name': 'cloud_cover_percent', 'value': cloud_cover_percent},
    {'name': 'visibility_meters', 'value': visibility_meters},
    {'name': 'uv_index', 'value': uv_index},
    {'name': 'east', 'value': wind_speed_ms * sin(radians(wind_direction_degrees))},
    {'name': 'north', 'value': wind_speed_ms * cos(radians(wind_direction_degrees))}
  ], recursive := true)
  from shares
),
-- A line that lacks one of its hours says nothing.
interpolated as (
  select
    activity_id, name,
    case when sum(start_share) filter (where value is not null) > 1 - 1e-6
      then sum(value * start_share) end as at_start,
    case when sum(share) filter (where value is not null) > 1 - 1e-6
      then sum(value * share) end as over_all
  from lines
  group by activity_id, name
),
measured as (
  select
    activity_id,
    max(at_start) filter (where name = 'temperature_celsius') as temperature_celsius,
    max(over_all) filter (where name = 'temperature_celsius') as temperature_celsius_mean,
    max(at_start) filter (where name = 'feels_like_celsius') as feels_like_celsius,
    max(over_all) filter (where name = 'feels_like_celsius') as feels_like_celsius_mean,
    max(at_start) filter (where name = 'humidity_percent') as humidity_percent,
    max(over_all) filter (where name = 'humidity_percent') as humidity_percent_mean,
    max(at_start) filter (where name = 'pressure_hpa') as pressure_hpa,
    max(over_all) filter (where name = 'pressure_hpa') as pressure_hpa_mean,
    max(at_start) filter (where name = 'cloud_cover_percent') as cloud_cover_percent,
    max(over_all) filter (where name = 'cloud_cover_percent') as cloud_cover_percent_mean,
    max(at_start) filter (where name = 'visibility_meters') as visibility_meters,
    max(over_all) filter (where name = 'visibility_meters') as visibility_meters_mean,
    max(at_start) filter (where name = 'uv_index') as uv_index,
    max(over_all) filter (where name = 'uv_index') as uv_index_mean,
    max(at_start) filter (where name = 'east') as east,
    max(over_all) filter (where name = 'east') as east_mean,
    max(at_start) filter (where name = 'north') as north,
    max(over_all) filter (where name = 'north') as north_mean
  from interpolated
  group by activity_id
),
told as (
  select
    activity_id,
    arg_min(service, abs(hour_s - start_s)) as service,
    arg_min(weather_code, abs(hour_s - start_s)) filter (where start_share > 0) as weather_code,
    -- Of several, WMO's manual has the highest reported.
    max(weather_code) filter (where weather_code in (select code from conditions))
      as worst_weather_code,
    max(precipitation_mm) filter (where hour_s = least(hours_needed - 1, 1) * 3600)
      as precipitation_mm,
    case
      when max(end_s) = max(start_s)
        then max(precipitation_mm) filter (where hour_s = least(hours_needed - 1, 1) * 3600)
      when sum(before_s) filter (where before_s > 0 and precipitation_mm is not null)
        > max(end_s) - max(start_s) - 1e-3
        then sum(precipitation_mm * before_s) filter (where before_s > 0)
          / (max(end_s) - max(start_s))
    end as precipitation_mm_mean,
    count(*) filter (where is_final) = max(hours_needed) as is_final,
    max(fetched_at) as fetched_at
  from shares
  group by activity_id
)
select
  m.activity_id,
  m.temperature_celsius,
  m.feels_like_celsius,
  m.humidity_percent,
  m.pressure_hpa,
  sqrt(m.east ** 2 + m.north ** 2) as wind_speed_ms,
  case when abs(m.east) + abs(m.north) > 1e-6
    then (degrees(atan2(m.east, m.north)) + 360) % 360 end as wind_direction_degrees,
  c.condition as weather_condition,
  t.weather_code,
  m.visibility_meters,
  m.uv_index,
  t.precipitation_mm,
  m.cloud_cover_percent,
  m.temperature_celsius_mean,
  m.feels_like_celsius_mean,
  m.humidity_percent_mean,
  m.pressure_hpa_mean,
  sqrt(m.east_mean ** 2 + m.north_mean ** 2) as wind_speed_ms_mean,
  case when abs(m.east_mean) + abs(m.north_mean) > 1e-6
    then (degrees(atan2(m.east_mean, m.north_mean)) + 360) % 360
  end as wind_direction_degrees_mean,
  w.condition as worst_weather_condition,
  t.worst_weather_code,
  m.visibility_meters_mean,
  m.uv_index_mean,
  t.precipitation_mm_mean,
  m.cloud_cover_percent_mean,
  'open_meteo/' || t.service as weather_source,
  t.is_final,
  t.fetched_at
from measured as m
inner join told as t on t.activity_id = m.activity_id
left join conditions as c on c.code = t.weather_code
left join conditions as w on w.code = t.worst_weather_code
where m.temperature_celsius is not null;
comment on view activity_weather is 'Weather at the start of each activity and over it (…_mean), in the cell of 0.1 degrees where it starts. Weather data by Open-Meteo.com (CC BY 4.0)';
comment on column activity_weather.activity_id is 'activities.id';
comment on column activity_weather.temperature_celsius is 'Degrees Celsius, 2 m above the ground, at the start';
comment on column activity_weather.feels_like_celsius is 'Degrees Celsius, with wind, humidity and sun, at the start';
comment on column activity_weather.humidity_percent is 'Relative humidity, percent, at the start';
comment on column activity_weather.pressure_hpa is 'hPa at the ground (not reduced to the sea), at the start';
comment on column activity_weather.wind_speed_ms is 'm/s, 10 m above the ground, at the start';
comment on column activity_weather.wind_direction_degrees is 'Degrees from north, clockwise: where the wind comes from, at the start; NULL: calm';
comment on column activity_weather.weather_condition is 'weather_code in words';
comment on column activity_weather.weather_code is 'WMO 4677, as Open-Meteo uses it, of the full hour nearest to the start';
comment on column activity_weather.visibility_meters is 'm, at the start; NULL before 2021 or so';
comment on column activity_weather.uv_index is 'UV index, at the start; NULL before 2021 or so';
comment on column activity_weather.precipitation_mm is 'mm of rain, showers and melted snow in the full hour in which it starts';
comment on column activity_weather.cloud_cover_percent is 'Percent of the sky, at the start';
comment on column activity_weather.temperature_celsius_mean is 'Degrees Celsius, mean over the elapsed time';
comment on column activity_weather.feels_like_celsius_mean is 'Degrees Celsius, mean over the elapsed time';
comment on column activity_weather.humidity_percent_mean is 'Relative humidity, percent, mean over the elapsed time';
comment on column activity_weather.pressure_hpa_mean is 'hPa at the ground, mean over the elapsed time';
comment on column activity_weather.wind_speed_ms_mean is 'm/s: length of the mean wind, as a vector, over the elapsed time';
comment on column activity_weather.wind_direction_degrees_mean is 'Degrees from north, clockwise: where the mean wind comes from; NULL: calm';
comment on column activity_weather.worst_weather_condition is 'worst_weather_code in words';
comment on column activity_weather.worst_weather_code is 'The highest WMO code from the full hour before the start to that after the end';
comment on column activity_weather.visibility_meters_mean is 'm, mean over the elapsed time; NULL before 2021 or so';
comment on column activity_weather.uv_index_mean is 'UV index, mean over the elapsed time; NULL before 2021 or so';
comment on column activity_weather.precipitation_mm_mean is 'mm an hour, mean over the elapsed time';
comment on column activity_weather.cloud_cover_percent_mean is 'Percent of the sky, mean over the elapsed time';
comment on column activity_weather.weather_source is 'open_meteo/archive, open_meteo/historical_forecast, open_meteo/forecast: whose temperature it is';
comment on column activity_weather.is_final is 'From the complete archive; if not, it is fetched once more, six days after';
comment on column activity_weather.fetched_at is 'UTC';
