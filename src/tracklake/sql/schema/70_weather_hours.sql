-- Weather by place and hour, as each service of Open-Meteo said it last. Weather data by Open-Meteo.com.
create table if not exists weather_hours (
  cell_lat DOUBLE,
  cell_lng DOUBLE,
  hour_utc TIMESTAMPTZ,
  service VARCHAR,
  temperature_celsius DOUBLE,
  feels_like_celsius DOUBLE,
  humidity_percent DOUBLE,
  pressure_hpa DOUBLE,
  wind_speed_ms DOUBLE,
  wind_direction_degrees DOUBLE,
  weather_code BIGINT,
  precipitation_mm DOUBLE,
  cloud_cover_percent DOUBLE,
  visibility_meters DOUBLE,
  uv_index DOUBLE,
  is_final BOOLEAN,
  fetched_at TIMESTAMPTZ,
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR
);
comment on table weather_hours is 'Weather by place and hour, as each service of Open-Meteo said it last; read activity_weather. Weather data by Open-Meteo.com (CC BY 4.0)';
comment on column weather_hours.cell_lat is 'Degrees, WGS 84: middle of a cell of 0.1 degrees';
comment on column weather_hours.cell_lng is 'Degrees, WGS 84, from -180 up to below 180: middle of a cell of 0.1 degrees';
comment on column weather_hours.hour_utc is 'A full hour, UTC: what was measured at that moment';
comment on column weather_hours.service is 'archive, forecast, historical_forecast';
comment on column weather_hours.temperature_celsius is 'Degrees Celsius, 2 m above the ground';
comment on column weather_hours.feels_like_celsius is 'Degrees Celsius, with wind, humidity and sun';
comment on column weather_hours.humidity_percent is 'Relative humidity, percent, 2 m above the ground';
comment on column weather_hours.pressure_hpa is 'hPa at the ground (not reduced to the sea)';
comment on column weather_hours.wind_speed_ms is 'm/s, 10 m above the ground';
comment on column weather_hours.wind_direction_degrees is 'Degrees from north, clockwise: where the wind comes from';
comment on column weather_hours.weather_code is 'WMO 4677, as Open-Meteo uses it: 0 clear sky to 99 thunderstorm with heavy hail';
comment on column weather_hours.precipitation_mm is 'mm of rain, showers and melted snow in the hour that ends then';
comment on column weather_hours.cloud_cover_percent is 'Percent of the sky';
comment on column weather_hours.visibility_meters is 'm; the archive has none';
comment on column weather_hours.uv_index is 'UV index; the archive has none';
comment on column weather_hours.is_final is 'The archive''s, when it was complete; others are replaced by it';
comment on column weather_hours.fetched_at is 'UTC';
comment on column weather_hours.ingested_at is 'When it landed';
comment on column weather_hours.content_hash is 'SHA-256 of the row';
