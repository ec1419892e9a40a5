-- Intervals of each activity: those of its newest record that has any, whatever else it gives; a
-- source that is kept apart gives none where another has the activity.
-- columns as in record_intervals
create or replace view activity_intervals as
with chosen as (
  select r.activity_id, i.intervals
  from record_intervals as i
  inner join records as r on r.record_id = i.record_id
  inner join activities as a on a.id = r.activity_id
  where r.gone_at is null and len(i.intervals) > 0
    and (
      r.source = a.primary_source
      or r.source not in (select unnest(kept_apart) from warehouse_version)
    )
  qualify row_number() over (
    partition by r.activity_id order by i.ingested_at desc, r.record_id
  ) = 1
)
select activity_id, unnest(intervals, recursive := true) from chosen;
comment on view activity_intervals is 'Work and recovery, as intervals.icu or the athlete marked them';
comment on column activity_intervals.activity_id is 'activities.id';
comment on column activity_intervals.interval_index is 'From 1';
comment on column activity_intervals.kind is 'WORK, RECOVERY';
comment on column activity_intervals.label is 'The name of the interval';
comment on column activity_intervals.group_id is 'The same for intervals that are alike';
comment on column activity_intervals.start_offset_s is 's since the start of the activity';
comment on column activity_intervals.end_offset_s is 's since the start of the activity';
comment on column activity_intervals.elapsed_time is 's';
comment on column activity_intervals.moving_time is 's';
comment on column activity_intervals.distance is 'm';
comment on column activity_intervals.average_speed is 'm/s';
comment on column activity_intervals.max_speed is 'm/s';
comment on column activity_intervals.average_heartrate is 'Beats a minute';
comment on column activity_intervals.max_heartrate is 'Beats a minute';
comment on column activity_intervals.average_cadence is 'Revolutions a minute of one leg or crank';
comment on column activity_intervals.average_watts is 'W';
comment on column activity_intervals.max_watts is 'W';
comment on column activity_intervals.weighted_average_watts is 'W';
comment on column activity_intervals.total_elevation_gain is 'm';
comment on column activity_intervals.intensity_percent is 'Percent of the threshold power';
comment on column activity_intervals.decoupling_percent is 'Percent that power and heart rate drift apart';
comment on column activity_intervals.training_load is 'As the service counts it';
comment on column activity_intervals.zone_index is 'Power zone, from 1';
comment on column activity_intervals.start_index is 'First point, from 0, as the service counts its own points';
comment on column activity_intervals.end_index is 'Point behind the last one, as the service counts its own points';
