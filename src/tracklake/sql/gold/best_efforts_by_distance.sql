-- The best effort of each activity over each standard distance, ranked within a family of sports.
create or replace view best_efforts_by_distance as
with standard (distance_name, standard_m) as (
  values
    ('400m', 400.0::double), ('1/2 mile', 804.672), ('1K', 1000), ('1 mile', 1609.344),
    ('2 mile', 3218.688), ('5K', 5000), ('10K', 10000), ('15K', 15000), ('10 mile', 16093.44),
    ('20K', 20000), ('Half-Marathon', 21097.5), ('30K', 30000), ('Marathon', 42195), ('50K', 50000)
),
efforts as (
  select
    a.athlete,
    a.sport_family,
    e.name as distance_name,
    -- Strava rounds it: 805 m for half a mile.
    coalesce(s.standard_m, e.distance_m) as distance_m,
    e.elapsed_time,
    e.activity_id,
    a.day,
    a.sport_type,
    a.start_date,
    e.origin
  from activity_best_efforts as e
  inner join activity_days as a on a.activity_id = e.activity_id
  left join standard as s on s.distance_name = e.name
  where e.kind = 'distance' and e.elapsed_time > 0 and a.sport_family <> 'all' and not a.is_motorised
)
select
  athlete,
  sport_family,
  distance_name,
  distance_m,
  row_number() over (
    partition by athlete, sport_family, distance_name order by elapsed_time, start_date, activity_id
  ) as effort_rank,
  elapsed_time,
  elapsed_time * 1000 / distance_m as pace_s_per_km,
  elapsed_time * 1609.344 / distance_m as pace_s_per_mile,
  activity_id,
  day,
  sport_type,
  start_date,
  origin
from efforts;
comment on view best_efforts_by_distance is 'The best effort of each activity over each standard distance, ranked within a family of sports';
comment on column best_efforts_by_distance.athlete is 'Whose';
comment on column best_efforts_by_distance.sport_family is 'run, walk, ride, swim, winter, water, other (table sport_families); e-bikes are left out';
comment on column best_efforts_by_distance.distance_name is '400m, 1/2 mile, 1K, 1 mile, 2 mile, 5K, …, Marathon, 50K';
comment on column best_efforts_by_distance.distance_m is 'm, of the standard distance';
comment on column best_efforts_by_distance.effort_rank is '1: the fastest; of equally fast ones the earlier comes first';
comment on column best_efforts_by_distance.elapsed_time is 's it took, stops included';
comment on column best_efforts_by_distance.pace_s_per_km is 's for each km';
comment on column best_efforts_by_distance.pace_s_per_mile is 's for each mile';
comment on column best_efforts_by_distance.activity_id is 'activities.id';
comment on column best_efforts_by_distance.day is 'Local day of the activity';
comment on column best_efforts_by_distance.sport_type is 'As in activities';
comment on column best_efforts_by_distance.start_date is 'Start of the activity, UTC';
comment on column best_efforts_by_distance.origin is 'computed (from its points), source (as the source itself reports it)';
