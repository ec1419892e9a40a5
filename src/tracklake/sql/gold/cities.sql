-- The settlements where activities started or ended; an outing with legs counts once.
create or replace view cities as
with visits as (
  select
    a.athlete, p.city, p.state, p.country, p.country_code, true as started,
    a.start_date_local::date as day, a.distance, a.moving_time
  from activities as a
  inner join activity_places as p on p.activity_id = a.id
  where a.parent_id is null
  union all
  select
    a.athlete, p.end_city, p.end_state, p.end_country, p.end_country_code, false,
    a.start_date_local::date, null, null
  from activities as a
  inner join activity_places as p on p.activity_id = a.id
  where a.parent_id is null
)
select
  athlete,
  city,
  state,
  max(country) as country,
  country_code,
  count(*) filter (where started) as activity_count,
  count(distinct day) as day_count,
  min(day) as first_day,
  max(day) as last_day,
  coalesce(sum(distance), 0) as distance,
  coalesce(sum(distance), 0) / 1000 as distance_km,
  coalesce(sum(distance), 0) / 1609.344 as distance_miles,
  coalesce(sum(moving_time), 0) as moving_time
from visits
where city is not null
group by athlete, city, state, country_code;
comment on view cities is 'The settlements where activities started or ended. GeoNames (CC BY 4.0); © OpenStreetMap contributors (ODbL)';
comment on column cities.athlete is 'Whose';
comment on column cities.city is 'Settlement';
comment on column cities.state is 'State, province, region';
comment on column cities.country is 'In English';
comment on column cities.country_code is 'ISO 3166-1, two letters; XK: Kosovo';
comment on column cities.activity_count is 'Activities that started there; one with legs counts once';
comment on column cities.day_count is 'Local days with an activity that started or ended there';
comment on column cities.first_day is 'The first of them';
comment on column cities.last_day is 'The last of them';
comment on column cities.distance is 'm, of activities that started there';
comment on column cities.distance_km is 'km, of activities that started there';
comment on column cities.distance_miles is 'Miles, of activities that started there';
comment on column cities.moving_time is 's, of activities that started there';
