-- The countries where activities started or ended; an outing with legs counts once.
create or replace view countries as
with visits as (
  select
    a.athlete, p.country_code, p.country, p.city, p.state, true as started,
    a.start_date_local::date as day, a.distance, a.moving_time
  from activities as a
  inner join activity_places as p on p.activity_id = a.id
  where a.parent_id is null
  union all
  select
    a.athlete, p.end_country_code, p.end_country, p.end_city, p.end_state, false,
    a.start_date_local::date, null, null
  from activities as a
  inner join activity_places as p on p.activity_id = a.id
  where a.parent_id is null
)
select
  athlete,
  max(country) as country,
  country_code,
  count(*) filter (where started) as activity_count,
  count(distinct day) as day_count,
  min(day) as first_day,
  max(day) as last_day,
  count(distinct (coalesce(state, ''), city)) filter (where city is not null) as city_count,
  coalesce(sum(distance), 0) as distance,
  coalesce(sum(distance), 0) / 1000 as distance_km,
  coalesce(sum(distance), 0) / 1609.344 as distance_miles,
  coalesce(sum(moving_time), 0) as moving_time
from visits
where country_code is not null
group by athlete, country_code;
comment on view countries is 'The countries where activities started or ended. GeoNames (CC BY 4.0); © OpenStreetMap contributors (ODbL)';
comment on column countries.athlete is 'Whose';
comment on column countries.country is 'In English';
comment on column countries.country_code is 'ISO 3166-1, two letters; XK: Kosovo';
comment on column countries.activity_count is 'Activities that started there; one with legs counts once';
comment on column countries.day_count is 'Local days with an activity that started or ended there';
comment on column countries.first_day is 'The first of them';
comment on column countries.last_day is 'The last of them';
comment on column countries.city_count is 'Settlements where one started or ended';
comment on column countries.distance is 'm, of activities that started there';
comment on column countries.distance_km is 'km, of activities that started there';
comment on column countries.distance_miles is 'Miles, of activities that started there';
comment on column countries.moving_time is 's, of activities that started there';
