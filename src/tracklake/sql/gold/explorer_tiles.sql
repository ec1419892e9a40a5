-- Map tiles of zoom level 14 that an athlete has been to, in the open.
create or replace view explorer_tiles as
select
  a.athlete,
  t.tile_x,
  t.tile_y,
  count(*) as activity_count,
  arg_min(a.id, (a.start_date, a.id)) as first_activity_id,
  arg_min(a.start_date_local::date, (a.start_date, a.id)) as first_day,
  arg_max(a.start_date_local::date, (a.start_date, a.id)) as last_day
from track_tiles as t
inner join activity_points as p on p.track_key = t.track_key
inner join activities as a on a.id = p.activity_id
where coalesce(a.leg_count, 0) = 0
  and a.sport_type is distinct from 'VirtualRide'
  and a.sport_type is distinct from 'VirtualRun'
  and a.sport_type is distinct from 'VirtualRow'
group by a.athlete, t.tile_x, t.tile_y;
comment on view explorer_tiles is 'Map tiles of zoom level 14 that an athlete has been to; rides, runs and rows in virtual worlds left out';
comment on column explorer_tiles.athlete is 'Whose';
comment on column explorer_tiles.tile_x is 'Column, from 0 at 180° west, of 16,384';
comment on column explorer_tiles.tile_y is 'Row, from 0 at 85.05° north, of 16,384';
comment on column explorer_tiles.activity_count is 'Activities that touched it; of an outing of several sports each leg is one';
comment on column explorer_tiles.first_activity_id is 'activities.id of the first that did';
comment on column explorer_tiles.first_day is 'Local day of the first';
comment on column explorer_tiles.last_day is 'Local day of the last';
