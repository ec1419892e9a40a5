-- Efforts on segments (named stretches), as each record has them.
create table if not exists record_segment_efforts (
  record_id BIGINT,
  effort_id BIGINT,
  segment_id BIGINT,
  name VARCHAR USING COMPRESSION DICTIONARY,
  start_date TIMESTAMPTZ,
  elapsed_time DOUBLE,
  moving_time DOUBLE,
  distance DOUBLE,
  start_index INTEGER,
  end_index INTEGER,
  average_heartrate DOUBLE,
  max_heartrate DOUBLE,
  average_cadence DOUBLE,
  average_watts DOUBLE,
  device_watts BOOLEAN,
  pr_rank INTEGER,
  kom_rank INTEGER,
  hidden BOOLEAN,
  segment_distance DOUBLE,
  average_grade DOUBLE,
  maximum_grade DOUBLE,
  elevation_high DOUBLE,
  elevation_low DOUBLE,
  climb_category INTEGER,
  city VARCHAR USING COMPRESSION DICTIONARY,
  state VARCHAR USING COMPRESSION DICTIONARY,
  country VARCHAR USING COMPRESSION DICTIONARY
);
comment on table record_segment_efforts is 'Efforts on segments (named stretches), as each record has them';
comment on column record_segment_efforts.record_id is 'records.record_id';
comment on column record_segment_efforts.effort_id is 'Strava''s id of the effort';
comment on column record_segment_efforts.segment_id is 'Strava''s id of the segment';
comment on column record_segment_efforts.name is 'The segment''s name';
comment on column record_segment_efforts.start_date is 'UTC';
comment on column record_segment_efforts.elapsed_time is 's, stops included';
comment on column record_segment_efforts.moving_time is 's, stops excluded';
comment on column record_segment_efforts.distance is 'm';
comment on column record_segment_efforts.start_index is 'First point of the streams it touches';
comment on column record_segment_efforts.end_index is 'Last point of the streams it touches';
comment on column record_segment_efforts.average_heartrate is 'Beats a minute';
comment on column record_segment_efforts.max_heartrate is 'Beats a minute';
comment on column record_segment_efforts.average_cadence is 'Revolutions a minute of one leg or crank';
comment on column record_segment_efforts.average_watts is 'W';
comment on column record_segment_efforts.device_watts is 'Power was measured, not estimated';
comment on column record_segment_efforts.pr_rank is '1 to 3 among the athlete''s own efforts when it was done';
comment on column record_segment_efforts.kom_rank is '1 to 10 among all when it was done';
comment on column record_segment_efforts.hidden is 'Not shown on Strava';
comment on column record_segment_efforts.segment_distance is 'm';
comment on column record_segment_efforts.average_grade is 'Percent';
comment on column record_segment_efforts.maximum_grade is 'Percent';
comment on column record_segment_efforts.elevation_high is 'm';
comment on column record_segment_efforts.elevation_low is 'm';
comment on column record_segment_efforts.climb_category is '0 (none) to 5 (hors catégorie)';
comment on column record_segment_efforts.city is 'Where the segment is';
comment on column record_segment_efforts.state is 'Where the segment is';
comment on column record_segment_efforts.country is 'Where the segment is';
