-- Where and when each activity needs weather, or why it needs none.
-- Hours are counted in UTC: date_trunc would follow the session's time zone.
create or replace view activity_cells as
with spans as (
  select
    *,
    start_lat between -90 and 90 and start_lng between -180 and 180
      and not (start_lat = 0 and start_lng = 0) as has_position,
    epoch_us(start_date) as start_us,
    -- A week at most: a watch that was forgotten needs no year of weather.
    start_us + round(
      least(greatest(coalesce(elapsed_time, moving_time, 0), 0), 604800) * 1e6
    )::bigint as end_us
  from activities
)
select
  id as activity_id,
  athlete,
  case
    when coalesce(manual, false) then 'manual'
    when coalesce(start_hidden, false) then 'start_hidden'
    when coalesce(trainer, false) or sport_type in (
      'VirtualRide', 'VirtualRun', 'VirtualRow', 'WeightTraining', 'Yoga', 'Pilates', 'Crossfit',
      'Elliptical', 'StairStepper', 'HighIntensityIntervalTraining', 'PhysicalTherapy', 'Squash',
      'Badminton', 'Racquetball', 'TableTennis'
    ) then 'indoor'
    when has_position is distinct from true then 'no_position'
    when start_us is null then 'no_start'
    when start_us < epoch_us('1940-01-02 00:00:00+00'::timestamptz) then 'before_1940'
  end as obstacle,
  -- From integers, so that equal cells are equal numbers; 180 degrees east is 180 west.
  case when has_position then round(start_lat * 10)::integer / 10 end as cell_lat,
  case when has_position
    then ((round(start_lng * 10)::integer + 1800) % 3600 - 1800) / 10
  end as cell_lng,
  start_date as starts_at,
  make_timestamptz(end_us) as ends_at,
  make_timestamptz(floor(start_us / 3600000000)::bigint * 3600000000) as first_hour,
  make_timestamptz(ceil(end_us / 3600000000)::bigint * 3600000000) as last_hour
from spans;
comment on view activity_cells is 'Where and when each activity needs weather, or why it needs none';
comment on column activity_cells.activity_id is 'activities.id';
comment on column activity_cells.athlete is 'Whose';
comment on column activity_cells.obstacle is 'Why there is no weather: manual, start_hidden, indoor, no_position, no_start, before_1940; NULL: there can be';
comment on column activity_cells.cell_lat is 'Degrees, WGS 84: middle of the cell of 0.1 degrees in which it starts';
comment on column activity_cells.cell_lng is 'Degrees, WGS 84, from -180 up to below 180: middle of the cell of 0.1 degrees in which it starts';
comment on column activity_cells.starts_at is 'Start, UTC';
comment on column activity_cells.ends_at is 'Start and elapsed time, UTC; a week after the start at most';
comment on column activity_cells.first_hour is 'The full hour at or before its start, UTC';
comment on column activity_cells.last_hour is 'The full hour at or after its end, UTC';
