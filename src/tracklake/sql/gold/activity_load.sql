-- What each activity asked of the athlete, in points: 100 is an hour as hard as an hour can be.
create or replace view activity_load as
with hourly (sport_type, load_per_hour) as (
  select unnest(sport_types), load_per_hour
  from (values
    (60, ['Run', 'TrailRun', 'VirtualRun', 'NordicSki', 'BackcountrySki', 'RollerSki']),
    (55, ['Swim']),
    (50, [
      'Ride', 'VirtualRide', 'GravelRide', 'MountainBikeRide', 'Handcycle', 'Velomobile', 'Wheelchair',
      'Rowing', 'VirtualRow', 'Kayaking', 'Canoeing', 'StandUpPaddling',
      'HighIntensityIntervalTraining', 'Crossfit'
    ]),
    (30, ['Hike', 'Snowshoe', 'EBikeRide', 'EMountainBikeRide']),
    (20, ['Walk']),
    (15, ['Yoga', 'Pilates', 'Golf', 'PhysicalTherapy', 'Sail'])
  ) as t (load_per_hour, sport_types)
),
-- Banister's weights: with them an hour at 85 % of the heart-rate reserve counts as 100 points.
athletes_own as (
  select
    athlete,
    ftp_w,
    resting_heartrate_bpm,
    max_heartrate_bpm - resting_heartrate_bpm as reserve_bpm,
    case when sex = 'f' then 0.86 else 0.64 end as factor,
    case when sex = 'f' then 1.67 else 1.92 end as exponent,
    60 * 0.85 * factor * exp(exponent * 0.85) as trimp_of_an_hour
  from athlete_settings
),
measured as (
  select
    a.id as activity_id,
    a.athlete,
    a.sport_type,
    a.start_date_local::date as day,
    coalesce(a.moving_time, a.elapsed_time) as time_s,
    a.suffer_score,
    coalesce(h.load_per_hour, 30) as load_per_hour,
    s.sport_family = 'ride' and coalesce(a.device_watts, true) as has_power,
    f.normalized_power_w is not null and f.power_recorded_s * 2 >= coalesce(time_s, 0) as has_points,
    case when has_power then
      case when has_points then f.normalized_power_w else a.weighted_average_watts end
    end as normalized_power_w,
    case when has_points then f.power_recorded_s else time_s end as power_time_s,
    o.ftp_w,
    o.trimp_of_an_hour,
    case when o.reserve_bpm > 0 then
      case
        when list_sum(f.heartrate_time_s) * 2 >= coalesce(time_s, 0) then
          list_sum(list_transform(
            list_zip(f.heartrate_bpm, f.heartrate_time_s),
            lambda pair: pair[2] / 60 * o.factor
              * least(greatest((pair[1] - o.resting_heartrate_bpm) / o.reserve_bpm, 0), 1)
              * exp(o.exponent * least(greatest((pair[1] - o.resting_heartrate_bpm) / o.reserve_bpm, 0), 1))
          ))
        when a.average_heartrate is not null then
          time_s / 60 * o.factor
            * least(greatest((a.average_heartrate - o.resting_heartrate_bpm) / o.reserve_bpm, 0), 1)
            * exp(o.exponent * least(greatest((a.average_heartrate - o.resting_heartrate_bpm) / o.reserve_bpm, 0), 1))
      end
    end as trimp
  from activities as a
  left join activity_points as p on p.activity_id = a.id
  left join stream_facts as f on f.stream_key = p.stream_key
  left join athletes_own as o on o.athlete = a.athlete
  left join sport_families as s on s.sport_type = a.sport_type
  left join hourly as h on h.sport_type = a.sport_type
  where coalesce(a.leg_count, 0) = 0 and a.start_date_local is not null
),
judged as (
  select
    *,
    normalized_power_w / ftp_w as intensity_factor,
    power_time_s / 36 * intensity_factor * intensity_factor as tss,
    trimp * 100 / trimp_of_an_hour as trimp_load,
    case
      when tss is not null then 'power'
      when trimp_load is not null then 'heartrate'
      when suffer_score is not null then 'relative_effort'
      else 'time'
    end as load_method
  from measured
)
select
  activity_id,
  athlete,
  sport_type,
  day,
  case load_method
    when 'power' then tss
    when 'heartrate' then trimp_load
    when 'relative_effort' then suffer_score
    else coalesce(time_s, 0) / 3600 * load_per_hour
  end as load,
  load_method,
  tss,
  intensity_factor,
  normalized_power_w,
  trimp
from judged;
comment on view activity_load is 'What each activity asked of the athlete, in points: 100 is an hour as hard as an hour can be (docs/models.md)';
comment on column activity_load.activity_id is 'activities.id; of an outing of several sports, its legs';
comment on column activity_load.athlete is 'Whose';
comment on column activity_load.sport_type is 'As in activities';
comment on column activity_load.day is 'Local day of the activity';
comment on column activity_load.load is 'Points: tss, or trimp in its scale, or Strava''s relative effort, or moving time by sport';
comment on column activity_load.load_method is 'power, heartrate, relative_effort, time: the first that is known';
comment on column activity_load.tss is 'Training stress score (Coggan) of a ride, from the FTP in settings; NULL: unknown';
comment on column activity_load.intensity_factor is 'Normalised power over FTP';
comment on column activity_load.normalized_power_w is 'W, of a ride with measured power, from its points, else Strava''s';
comment on column activity_load.trimp is 'Training impulse (Banister), from the heart rates in settings; NULL: unknown';
