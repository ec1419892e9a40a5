-- Each record when it was set, what it beat, and until when it stood.
create or replace view personal_record_history as
with periods as (
  select athlete, sport_family, 'biggest_week' as record, date_trunc('week', day)::date as day, distance
  from activity_days
  where not is_motorised
  union all
  select athlete, sport_family, 'biggest_month', date_trunc('month', day)::date, distance
  from activity_days
  where not is_motorised
),
candidates as (
  select
    athlete, sport_family, 'fastest' as record, distance_name, distance_m, 's' as unit,
    elapsed_time as value, -elapsed_time as score, activity_id, day, start_date as set_at
  from best_efforts_by_distance
  union all
  select
    athlete, sport_family, unnest(['longest_distance', 'longest_time', 'most_climb', 'highest_point']),
    null, null, unnest(['m', 's', 'm', 'm']),
    unnest([distance, moving_time, total_elevation_gain, elev_high]) as value,
    value, activity_id, day, start_date
  from activity_days
  where not is_motorised
  union all
  select
    -- To the millimetre: sums of the same decimals in another order differ by less.
    athlete, sport_family, record, null, null, 'm', round(sum(distance), 3) as value, value, null, day,
    day::timestamp at time zone 'UTC'
  from periods
  group by athlete, sport_family, record, day
),
compared as (
  select
    *,
    max(score) over (
      partition by athlete, sport_family, record, distance_name order by set_at, activity_id
      rows between unbounded preceding and 1 preceding
    ) as score_to_beat
  from candidates
  where value is not null and (value > 0 or record = 'highest_point')
),
records_set as (
  select * from compared where score_to_beat is null or score > score_to_beat
)
select
  athlete,
  sport_family,
  record,
  distance_name,
  distance_m,
  unit,
  value,
  case when unit = 'm' then value / 1000 end as value_km,
  case when unit = 'm' then value / 1609.344 end as value_miles,
  value * 1000 / distance_m as pace_s_per_km,
  value * 1609.344 / distance_m as pace_s_per_mile,
  activity_id,
  day,
  lag(value) over in_time as previous_value,
  abs(value - lag(value) over in_time) as improvement,
  lag(activity_id) over in_time as previous_activity_id,
  lag(day) over in_time as previous_day,
  lead(day) over in_time as beaten_day,
  lead(day) over in_time is null as is_current
from records_set
window in_time as (
  partition by athlete, sport_family, record, distance_name order by set_at, activity_id
);
comment on view personal_record_history is 'Each record when it was set, what it beat, and until when it stood';
comment on column personal_record_history.athlete is 'Whose';
comment on column personal_record_history.sport_family is 'run, walk, ride, swim, winter, water, other (table sport_families), or all (nothing fastest there); e-bikes are left out';
comment on column personal_record_history.record is 'fastest (over distance_name), longest_distance, longest_time (in motion), most_climb, highest_point, biggest_week, biggest_month (distance)';
comment on column personal_record_history.distance_name is '400m, 1/2 mile, 1K, …, of a fastest; else NULL';
comment on column personal_record_history.distance_m is 'm, of a fastest; else NULL';
comment on column personal_record_history.unit is 's or m, which the values are in';
comment on column personal_record_history.value is 'The record, in s or m by unit';
comment on column personal_record_history.value_km is 'The record in km; NULL: it is a time';
comment on column personal_record_history.value_miles is 'The record in miles; NULL: it is a time';
comment on column personal_record_history.pace_s_per_km is 's for each km, of a fastest';
comment on column personal_record_history.pace_s_per_mile is 's for each mile, of a fastest';
comment on column personal_record_history.activity_id is 'activities.id; NULL for a week or month';
comment on column personal_record_history.day is 'Local day it was set; of a week or month its first day';
comment on column personal_record_history.previous_value is 'The record it beat, in s or m by unit; NULL: it is the first';
comment on column personal_record_history.improvement is 'By how much, in s or m by unit';
comment on column personal_record_history.previous_activity_id is 'activities.id of the record it beat';
comment on column personal_record_history.previous_day is 'Local day of the record it beat';
comment on column personal_record_history.beaten_day is 'Local day on which it was beaten in its turn; NULL: it stands';
comment on column personal_record_history.is_current is 'It stands';
