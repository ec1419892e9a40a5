-- Weather lies in full hours and whole cells, and is what a thermometer, a hygrometer and a compass can show.
select cell_lat, cell_lng, hour_utc, service
from weather_hours
where epoch_us(hour_utc) % 3600000000 <> 0
   or cell_lat <> round(cell_lat, 1) or cell_lng <> round(cell_lng, 1)
   or cell_lat not between -90 and 90 or cell_lng < -180 or cell_lng >= 180
   or temperature_celsius not between -100 and 70
   or humidity_percent not between 0 and 100
   or wind_speed_ms < 0
   or wind_direction_degrees not between 0 and 360
