-- The largest number E for which E days had a distance of at least E km (or miles).
create or replace view eddington as
with reached as (
  select
    d.athlete,
    d.sport_family,
    u.unit,
    -- To the millimetre: sums of decimals may miss a whole number by less.
    floor(round(d.distance / u.unit_m, 6))::bigint as whole_units
  from athlete_days as d
  cross join (values ('km', 1000.0::double), ('miles', 1609.344::double)) as u (unit, unit_m)
  where d.distance is not null
),
ranked as (
  select
    *,
    row_number() over (
      partition by athlete, sport_family, unit order by whole_units desc
    ) as day_rank
  from reached
),
numbers as (
  select athlete, sport_family, unit, count(*) filter (where whole_units >= day_rank) as eddington
  from ranked
  group by athlete, sport_family, unit
)
select
  n.athlete,
  n.sport_family,
  n.unit,
  n.eddington,
  n.eddington + 1 as next_eddington,
  count(*) filter (where r.whole_units > n.eddington) as days_reached,
  n.eddington + 1 - count(*) filter (where r.whole_units > n.eddington) as days_missing
from numbers as n
inner join reached as r
  on r.athlete = n.athlete and r.sport_family = n.sport_family and r.unit = n.unit
group by n.athlete, n.sport_family, n.unit, n.eddington;
comment on view eddington is 'The largest number E for which E days had a distance of at least E km (or miles)';
comment on column eddington.athlete is 'Whose';
comment on column eddington.sport_family is 'run, walk, ride, swim, winter, water, other (table sport_families), or all';
comment on column eddington.unit is 'km or miles, which the numbers are about';
comment on column eddington.eddington is 'E: on E local days the day''s sum was at least E km (or miles)';
comment on column eddington.next_eddington is 'E + 1, also the distance a day needs to count for it, in km or miles';
comment on column eddington.days_reached is 'Days that had that distance already';
comment on column eddington.days_missing is 'Days of that distance that are missing';
