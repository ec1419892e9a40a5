-- Sums by month and sport; the row All has all sports together.
-- columns as in activities
create or replace view monthly_totals as
select
  athlete,
  date_trunc('month', day)::date as month,
  sport_family,
  sport_type,
  count(*) as activity_count,
  count(distinct day) as active_day_count,
  sum(distance) as distance,
  sum(distance) / 1000 as distance_km,
  sum(distance) / 1609.344 as distance_miles,
  sum(moving_time) as moving_time,
  sum(elapsed_time) as elapsed_time,
  sum(total_elevation_gain) as total_elevation_gain,
  max(distance) as longest_distance_m,
  max(distance) / 1000 as longest_distance_km,
  max(distance) / 1609.344 as longest_distance_miles,
  max(average_speed) as fastest_average_speed_mps
from activity_days
group by athlete, date_trunc('month', day)::date, sport_family, sport_type;
comment on view monthly_totals is 'Sums by month and sport; the row All has all sports together';
comment on column monthly_totals.month is 'The first day of the month (local days)';
comment on column monthly_totals.sport_family is 'The family of sport_type: sum over it for all running; all on the row All';
comment on column monthly_totals.sport_type is 'As in activities; All: all sports, where an outing of several sports is one activity';
comment on column monthly_totals.activity_count is 'Activities that started in it';
comment on column monthly_totals.active_day_count is 'Local days with one or more';
comment on column monthly_totals.distance is 'm; NULL: none of them has a distance';
comment on column monthly_totals.distance_km is 'km';
comment on column monthly_totals.distance_miles is 'Miles';
comment on column monthly_totals.longest_distance_m is 'm, of the longest of them';
comment on column monthly_totals.longest_distance_km is 'km, of the longest of them';
comment on column monthly_totals.longest_distance_miles is 'Miles, of the longest of them';
comment on column monthly_totals.fastest_average_speed_mps is 'm/s over the moving time, of the fastest of them';
