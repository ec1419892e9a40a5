-- Weather of cells and hours; a service's final word wins, then its newest.
create or replace temp table staged_weather as
select * from read_parquet(
  getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
)
where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
qualify row_number() over (
  partition by service, cell_lat, cell_lng, hour_utc
  order by is_final desc, ingested_at desc, content_hash desc
) = 1;

delete from staged_weather
using weather_hours as w
where w.hour_utc = staged_weather.hour_utc and w.cell_lat = staged_weather.cell_lat
  and w.cell_lng = staged_weather.cell_lng and w.service = staged_weather.service
  and (w.is_final, w.ingested_at, w.content_hash)
    >= (staged_weather.is_final, staged_weather.ingested_at, staged_weather.content_hash);

delete from weather_hours
using staged_weather as s
where s.hour_utc = weather_hours.hour_utc and s.cell_lat = weather_hours.cell_lat
  and s.cell_lng = weather_hours.cell_lng and s.service = weather_hours.service;

insert into weather_hours by name
select
  cell_lat, cell_lng, hour_utc, service, temperature_celsius, feels_like_celsius, humidity_percent,
  pressure_hpa, wind_speed_ms, wind_direction_degrees, weather_code, precipitation_mm,
  cloud_cover_percent, visibility_meters, uv_index, is_final, fetched_at, ingested_at, content_hash
from staged_weather;
