-- The cells in which activities start and end, for each method that tells where those are.
-- What happened in a game has no place: its islands lie amid the Pacific.
create or replace view activity_ends as
with ends as (
  select id, athlete, start_date, 'start' as place, start_lat as lat, start_lng as lng, sport_type
  from activities
  union all
  select id, athlete, start_date, 'end', end_lat, end_lng, sport_type
  from activities
)
select
  e.id as activity_id,
  e.athlete,
  e.start_date as starts_at,
  e.place,
  m.method,
  round(e.lat * m.cells)::integer * (1000 // m.cells) as lat_e3,
  -- 180 degrees east is 180 west.
  (round(e.lng * m.cells)::integer + 180 * m.cells) % (360 * m.cells) * (1000 // m.cells) - 180000
    as lng_e3
from ends as e
cross join (values ('geonames', 1000), ('nominatim', 100)) as m (method, cells)
where e.lat between -90 and 90 and e.lng between -180 and 180
  and not (e.lat = 0 and e.lng = 0)
  and coalesce(e.sport_type, '') not in ('VirtualRide', 'VirtualRun', 'VirtualRow');
comment on view activity_ends is 'The cells of place_cells in which activities start and end; none where the position is unknown or of a game';
comment on column activity_ends.activity_id is 'activities.id';
comment on column activity_ends.athlete is 'Whose';
comment on column activity_ends.starts_at is 'Start of the activity, UTC';
comment on column activity_ends.place is 'start, end';
comment on column activity_ends.method is 'place_cells.method';
comment on column activity_ends.lat_e3 is 'Thousandths of a degree, WGS 84: middle of the cell';
comment on column activity_ends.lng_e3 is 'Thousandths of a degree, WGS 84, from -180000 up to below 180000: middle of the cell';
