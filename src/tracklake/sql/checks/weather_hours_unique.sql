-- A service says one thing of a place and an hour.
select service, cell_lat, cell_lng, hour_utc
from weather_hours
group by all
having count(*) > 1
