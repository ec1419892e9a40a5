-- One row a canonical activity, however many sources report it; legs of multisport outings have rows of their own.
create table if not exists activities (
  id BIGINT,
  athlete VARCHAR USING COMPRESSION DICTIONARY,
  primary_source VARCHAR USING COMPRESSION DICTIONARY,
  sources VARCHAR[],
  name VARCHAR USING COMPRESSION DICTIONARY,
  description VARCHAR USING COMPRESSION DICTIONARY,
  sport_type VARCHAR USING COMPRESSION DICTIONARY,
  start_date TIMESTAMPTZ,
  start_date_local TIMESTAMP,
  timezone VARCHAR USING COMPRESSION DICTIONARY,
  utc_offset_s DOUBLE,
  distance DOUBLE,
  moving_time DOUBLE,
  elapsed_time DOUBLE,
  total_elevation_gain DOUBLE,
  elev_high DOUBLE,
  elev_low DOUBLE,
  average_speed DOUBLE,
  max_speed DOUBLE,
  average_heartrate DOUBLE,
  max_heartrate DOUBLE,
  average_watts DOUBLE,
  max_watts DOUBLE,
  average_cadence DOUBLE,
  average_temp DOUBLE,
  calories DOUBLE,
  kudos_count BIGINT,
  comment_count BIGINT,
  athlete_count BIGINT,
  photo_count BIGINT,
  achievement_count BIGINT,
  pr_count BIGINT,
  suffer_score DOUBLE,
  weighted_average_watts DOUBLE,
  kilojoules DOUBLE,
  device_watts BOOLEAN,
  workout_type BIGINT,
  gear_id VARCHAR USING COMPRESSION DICTIONARY,
  commute BOOLEAN,
  trainer BOOLEAN,
  manual BOOLEAN,
  visibility VARCHAR USING COMPRESSION DICTIONARY,
  device_name VARCHAR USING COMPRESSION DICTIONARY,
  start_lat DOUBLE,
  start_lng DOUBLE,
  end_lat DOUBLE,
  end_lng DOUBLE,
  summary_polyline VARCHAR,
  has_track BOOLEAN,
  start_hidden BOOLEAN,
  parent_id BIGINT,
  leg_index INTEGER,
  leg_count INTEGER,
  point_count INTEGER,
  file_status VARCHAR USING COMPRESSION DICTIONARY,
  stream_source VARCHAR USING COMPRESSION DICTIONARY,
  field_sources MAP(VARCHAR, VARCHAR),
  ingested_at TIMESTAMPTZ
);
comment on table activities is 'One row a canonical activity, however many sources report it; legs of multisport outings have rows of their own';
comment on column activities.id is 'Strava''s id where Strava had it first, else a stable hash between 2^52 and 2^53';
comment on column activities.athlete is 'Whose';
comment on column activities.primary_source is 'Source of the measurements';
comment on column activities.sources is 'All sources that report it';
comment on column activities.name is 'Title; the athlete''s own where a source has one';
comment on column activities.description is 'The athlete''s own words';
comment on column activities.sport_type is 'Strava''s vocabulary: Run, TrailRun, Ride, Swim, …; Transition and Multisport besides';
comment on column activities.start_date is 'Start, UTC';
comment on column activities.start_date_local is 'Start as the clock on the wall showed it';
comment on column activities.timezone is 'IANA time zone of the start; NULL: unknown, local time is UTC or the file''s own offset';
comment on column activities.utc_offset_s is 'Local time minus UTC, s';
comment on column activities.distance is 'm';
comment on column activities.moving_time is 's, without stops (docs/formulas.md)';
comment on column activities.elapsed_time is 's, from start to end';
comment on column activities.total_elevation_gain is 'm';
comment on column activities.elev_high is 'Highest point, m';
comment on column activities.elev_low is 'Lowest point, m';
comment on column activities.average_speed is 'm/s over the moving time';
comment on column activities.max_speed is 'm/s';
comment on column activities.average_heartrate is 'Beats a minute';
comment on column activities.max_heartrate is 'Beats a minute';
comment on column activities.average_watts is 'W, weighted by time';
comment on column activities.max_watts is 'W';
comment on column activities.average_cadence is 'Revolutions a minute of one leg or crank';
comment on column activities.average_temp is 'Degrees Celsius, as the device felt it';
comment on column activities.calories is 'kcal';
comment on column activities.kudos_count is 'Kudos received (Strava)';
comment on column activities.comment_count is 'Comments (Strava)';
comment on column activities.athlete_count is 'How many went together, by Strava';
comment on column activities.photo_count is 'Photos (Strava)';
comment on column activities.achievement_count is 'Achievements (Strava)';
comment on column activities.pr_count is 'Personal records on segments (Strava)';
comment on column activities.suffer_score is 'Relative effort (Strava)';
comment on column activities.weighted_average_watts is 'W, normalised (Strava)';
comment on column activities.kilojoules is 'kJ of work';
comment on column activities.device_watts is 'Power was measured, not estimated';
comment on column activities.workout_type is 'Strava''s number: 1 race, 2 long run, 3 workout, 11 race, 12 workout (rides)';
comment on column activities.gear_id is 'Gear used; see table gear';
comment on column activities.commute is 'Marked as a commute';
comment on column activities.trainer is 'Indoors: a trainer, a treadmill, a pool';
comment on column activities.manual is 'Entered by hand, without a file';
comment on column activities.visibility is 'everyone, followers_only, only_me (Strava)';
comment on column activities.device_name is 'What recorded it';
comment on column activities.start_lat is 'Degrees, WGS 84';
comment on column activities.start_lng is 'Degrees, WGS 84';
comment on column activities.end_lat is 'Degrees, WGS 84';
comment on column activities.end_lng is 'Degrees, WGS 84';
comment on column activities.summary_polyline is 'Google''s encoded polyline, 5 decimals, simplified to about 20 m';
comment on column activities.has_track is 'Geometry exists: view activity_tracks has a row (a multisport whole: its legs have)';
comment on column activities.start_hidden is 'The source hides the true start time';
comment on column activities.parent_id is 'Id of the multisport whole, on its legs; NULL: done on its own';
comment on column activities.leg_index is '0: the whole; 1 and up: leg of a multisport outing';
comment on column activities.leg_count is 'Legs that follow (a multisport whole), else 0; sums by sport take rows with 0';
comment on column activities.point_count is 'Rows it has in activity_streams';
comment on column activities.file_status is 'clean, salvaged (parts were damaged), NULL: no file';
comment on column activities.stream_source is 'Whose points and geometry these are';
comment on column activities.field_sources is 'Which source each column that is not NULL comes from: field_sources[''distance'']; the order is in docs/formulas.md';
comment on column activities.ingested_at is 'When its newest record landed';
