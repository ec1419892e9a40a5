-- Runs kilometre by kilometre and mile by mile: pace, how it changed, which half was faster.
create or replace view run_splits as
with splits as (
  select 'km' as unit, 1000.0::double as unit_m, *
  from activity_splits_metric
  union all
  select 'miles', 1609.344, *
  from activity_splits_standard
),
placed as (
  select
    a.athlete,
    a.day,
    s.*,
    s.moving_time_seconds / nullif(s.distance_m, 0) as s_per_m,
    sum(s.distance_m) over so_far - s.distance_m as begin_m,
    sum(s.distance_m) over so_far as end_m,
    sum(s.moving_time_seconds) over so_far as end_s,
    sum(s.distance_m) over whole_run as run_m,
    -- Half a run needs two splits, and the time of each.
    count(*) over whole_run > 1
      and count(*) over whole_run = count(s.distance_m + s.moving_time_seconds) over whole_run
      as has_halves
  from splits as s
  inner join activity_days as a on a.activity_id = s.activity_id and a.sport_family = 'run'
  window
    whole_run as (partition by s.unit, s.activity_id),
    so_far as (partition by s.unit, s.activity_id order by s.split_index)
),
halved as (
  select
    *,
    -- The split in which the first half ends gives each half its part.
    sum(
      moving_time_seconds * case
        when distance_m > 0 then greatest(0, least(1, (run_m / 2 - begin_m) / distance_m))
        when begin_m < run_m / 2 then 1
        else 0
      end
    ) over (partition by unit, activity_id) as first_s,
    sum(moving_time_seconds) over (partition by unit, activity_id) as both_s,
    distance_m >= 0.98 * unit_m as is_whole
  from placed
)
select
  athlete,
  activity_id,
  day,
  unit,
  split_index,
  distance_m,
  elapsed_time_seconds,
  moving_time_seconds,
  1000 * s_per_m as pace_s_per_km,
  1609.344 * s_per_m as pace_s_per_mile,
  1000 * (s_per_m - lag(s_per_m) over in_order) as pace_change_s_per_km,
  1609.344 * (s_per_m - lag(s_per_m) over in_order) as pace_change_s_per_mile,
  end_m as distance_so_far_m,
  end_s as moving_time_so_far_s,
  elevation_difference,
  average_heartrate,
  is_whole,
  is_whole and s_per_m = min(s_per_m) filter (where is_whole) over (partition by unit, activity_id)
    as is_fastest,
  case when has_halves then first_s end as first_half_s,
  case when has_halves then both_s - first_s end as second_half_s,
  -- To the millisecond: halves of an even run differ by less.
  case when has_halves then round(2 * first_s - both_s, 3) > 0 end as is_negative_split
from halved
window in_order as (partition by unit, activity_id order by split_index);
comment on view run_splits is 'Runs kilometre by kilometre and mile by mile: pace, how it changed, which half was faster';
comment on column run_splits.athlete is 'Whose';
comment on column run_splits.activity_id is 'activities.id; Run, TrailRun, VirtualRun';
comment on column run_splits.day is 'Local day of the run';
comment on column run_splits.unit is 'km or miles: two sets of splits';
comment on column run_splits.split_index is 'From 1; the last may be short';
comment on column run_splits.distance_m is 'm, of this split';
comment on column run_splits.elapsed_time_seconds is 's, stops included';
comment on column run_splits.moving_time_seconds is 's, stops excluded';
comment on column run_splits.pace_s_per_km is 's in motion for each km';
comment on column run_splits.pace_s_per_mile is 's in motion for each mile';
comment on column run_splits.pace_change_s_per_km is 's for each km more than in the split before; negative: faster';
comment on column run_splits.pace_change_s_per_mile is 's for each mile more than in the split before; negative: faster';
comment on column run_splits.distance_so_far_m is 'm from the start to the end of this split';
comment on column run_splits.moving_time_so_far_s is 's in motion from the start to the end of this split';
comment on column run_splits.elevation_difference is 'm, end minus start';
comment on column run_splits.average_heartrate is 'Beats a minute';
comment on column run_splits.is_whole is 'It has at least 98 % of a km or mile';
comment on column run_splits.is_fastest is 'No other whole split of this run was faster';
comment on column run_splits.first_half_s is 's in motion over the first half of the distance; NULL: one split only, or a time is missing';
comment on column run_splits.second_half_s is 's in motion over the second half';
comment on column run_splits.is_negative_split is 'The second half took less time than the first';
