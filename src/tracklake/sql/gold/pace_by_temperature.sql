-- How fast runs are at each temperature, in steps of 5 °C.
create or replace view pace_by_temperature as
select
  a.athlete,
  (floor(w.temperature_celsius / 5) * 5)::integer as temperature_from_celsius,
  count(*) as activity_count,
  sum(a.distance) as distance,
  sum(a.moving_time) as moving_time,
  sum(a.moving_time) * 1000 / sum(a.distance) as pace_s_per_km,
  sum(a.moving_time) * 1609.344 / sum(a.distance) as pace_s_per_mile,
  sum(a.average_heartrate * a.moving_time) / sum(a.moving_time) filter (where a.average_heartrate is not null)
    as average_heartrate,
  avg(w.humidity_percent) as humidity_percent,
  avg(w.wind_speed_ms) as wind_speed_ms
from activities as a
inner join activity_weather as w on w.activity_id = a.id
inner join sport_families as s on s.sport_type = a.sport_type
where s.sport_family = 'run' and a.sport_type <> 'VirtualRun' and not coalesce(a.trainer, false)
  and coalesce(a.leg_count, 0) = 0
  and a.distance > 0 and a.moving_time > 0 and w.temperature_celsius is not null
group by a.athlete, temperature_from_celsius;
comment on view pace_by_temperature is 'How fast runs are at each temperature, in steps of 5 °C (weather data by Open-Meteo.com)';
comment on column pace_by_temperature.athlete is 'Whose';
comment on column pace_by_temperature.temperature_from_celsius is 'Degrees Celsius at the start, from here to 5 above';
comment on column pace_by_temperature.activity_count is 'Runs outdoors whose weather is known';
comment on column pace_by_temperature.distance is 'm, of all of them';
comment on column pace_by_temperature.moving_time is 's, of all of them';
comment on column pace_by_temperature.pace_s_per_km is 's for each km, over all of them';
comment on column pace_by_temperature.pace_s_per_mile is 's for each mile, over all of them';
comment on column pace_by_temperature.average_heartrate is 'Beats a minute, weighted by moving time, of those that have one';
comment on column pace_by_temperature.humidity_percent is 'Percent at the start, mean of the runs';
comment on column pace_by_temperature.wind_speed_ms is 'm/s at the start, mean of the runs';
