-- Each athlete's thresholds for zones: their own where settings say so, else what was observed.
create or replace view athlete_thresholds as
with observed as (
  select
    a.athlete,
    coalesce(max(f.sustained_heartrate_bpm), max(a.max_heartrate)) as heartrate_bpm
  from activities as a
  left join activity_points as p on p.activity_id = a.id
  left join stream_facts as f on f.stream_key = p.stream_key
  group by a.athlete
),
newest as (select athlete, max(start_date) as newest_start from activities group by athlete),
powers as (
  select n.athlete, max(e.average_watts) as best_20min_w
  from newest as n
  inner join activities as a on a.athlete = n.athlete
  inner join sport_families as s on s.sport_type = a.sport_type
  inner join activity_best_efforts as e on e.activity_id = a.id
  where s.sport_family = 'ride' and not s.is_motorised and e.kind = 'power' and e.duration_s = 1200
    and a.start_date > n.newest_start - interval 365 day and coalesce(a.device_watts, true)
  group by n.athlete
),
known as (
  select
    o.athlete,
    coalesce(s.max_heartrate_bpm, o.heartrate_bpm) as max_heartrate_bpm,
    case
      when s.max_heartrate_bpm is not null then 'settings'
      when o.heartrate_bpm is not null then 'observed'
    end as max_heartrate_from,
    s.resting_heartrate_bpm,
    coalesce(s.ftp_w, 0.95 * w.best_20min_w) as ftp_w,
    case
      when s.ftp_w is not null then 'settings'
      when w.best_20min_w is not null then 'observed'
    end as ftp_from,
    s.heartrate_zones,
    s.power_zones
  from observed as o
  left join athlete_settings as s on s.athlete = o.athlete
  left join powers as w on w.athlete = o.athlete
)
select
  athlete,
  max_heartrate_bpm,
  max_heartrate_from,
  resting_heartrate_bpm,
  ftp_w,
  ftp_from,
  coalesce(
    heartrate_zones,
    list_transform(
      case when max_heartrate_bpm is not null then [60, 70, 80, 90] end,
      lambda percent: percent * max_heartrate_bpm / 100
    )
  ) as heartrate_zones,
  coalesce(
    power_zones,
    list_transform(
      case when ftp_w is not null then [55, 75, 90, 105, 120, 150] end,
      lambda percent: percent * ftp_w / 100
    )
  ) as power_zones
from known;
comment on view athlete_thresholds is 'Each athlete''s thresholds for zones: their own where settings say so, else what was observed';
comment on column athlete_thresholds.athlete is 'Whose';
comment on column athlete_thresholds.max_heartrate_bpm is 'Highest heart rate, beats a minute; observed: the highest that was held or exceeded for 30 s in one activity';
comment on column athlete_thresholds.max_heartrate_from is 'settings, observed';
comment on column athlete_thresholds.resting_heartrate_bpm is 'Beats a minute at rest, from settings only';
comment on column athlete_thresholds.ftp_w is 'Functional threshold power on a bike, W; observed: 95 % of the best 20 minutes in the 365 days up to the newest activity';
comment on column athlete_thresholds.ftp_from is 'settings, observed';
comment on column athlete_thresholds.heartrate_zones is 'Where the second and each later zone begins, beats a minute; 60, 70, 80, 90 % of the highest unless settings say';
comment on column athlete_thresholds.power_zones is 'Where the second and each later zone begins, W; 55, 75, 90, 105, 120, 150 % of FTP (Coggan) unless settings say';
