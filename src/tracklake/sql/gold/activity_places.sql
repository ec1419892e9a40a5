-- Where each activity starts and ends, in words; Nominatim's word first, where it has one.
create or replace view activity_places as
with known as (
  select e.activity_id, e.place, p.*
  from activity_ends as e
  inner join place_cells as p
    on p.method = e.method and p.lat_e3 = e.lat_e3 and p.lng_e3 = e.lng_e3
),
ranked as (
  select
    *,
    row_number() over (
      partition by activity_id, place
      order by method = 'nominatim' and country_code is not null desc, method = 'geonames' desc
    ) as choice,
    max(time_zone) over (partition by activity_id, place) as known_time_zone
  from known
)
select
  activity_id,
  max(city) filter (where place = 'start') as city,
  max(state) filter (where place = 'start') as state,
  max(country) filter (where place = 'start') as country,
  max(country_code) filter (where place = 'start') as country_code,
  max(distance_km) filter (where place = 'start') as distance_km,
  max(method) filter (where place = 'start') as method,
  max(known_time_zone) filter (where place = 'start') as time_zone,
  max(city) filter (where place = 'end') as end_city,
  max(state) filter (where place = 'end') as end_state,
  max(country) filter (where place = 'end') as end_country,
  max(country_code) filter (where place = 'end') as end_country_code
from ranked
where choice = 1
group by activity_id;
comment on view activity_places is 'Where each activity starts and ends, in words; a row for each that was looked up. GeoNames (CC BY 4.0); © OpenStreetMap contributors (ODbL)';
comment on column activity_places.activity_id is 'activities.id';
comment on column activity_places.city is 'Settlement of the start; NULL: at sea, or none within 50 km';
comment on column activity_places.state is 'State, province, region of the start';
comment on column activity_places.country is 'Country of the start, in English';
comment on column activity_places.country_code is 'Country of the start, ISO 3166-1, two letters; XK: Kosovo';
comment on column activity_places.distance_km is 'km from the start to the centre of the settlement';
comment on column activity_places.method is 'geonames (offline), nominatim';
comment on column activity_places.time_zone is 'IANA time zone of the start';
comment on column activity_places.end_city is 'Settlement of the end; NULL: at sea, or none within 50 km';
comment on column activity_places.end_state is 'State, province, region of the end';
comment on column activity_places.end_country is 'Country of the end, in English';
comment on column activity_places.end_country_code is 'Country of the end, ISO 3166-1, two letters; XK: Kosovo';
