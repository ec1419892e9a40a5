-- Every source's record of an activity, newest version, those that were deleted upstream too.
create table if not exists records (
  activity_id BIGINT,
  record_id BIGINT,
  founder_id BIGINT,
  athlete VARCHAR USING COMPRESSION DICTIONARY,
  source VARCHAR USING COMPRESSION DICTIONARY,
  source_id VARCHAR USING COMPRESSION DICTIONARY,
  external_id VARCHAR USING COMPRESSION DICTIONARY,
  strava_id BIGINT,
  file_sha256 VARCHAR USING COMPRESSION DICTIONARY,
  file_linked_at TIMESTAMPTZ,
  file_format VARCHAR USING COMPRESSION DICTIONARY,
  problems VARCHAR[],
  parent_record_id BIGINT,
  stream_key BIGINT,
  match_method VARCHAR USING COMPRESSION DICTIONARY,
  match_confidence DOUBLE,
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
  gear_id VARCHAR USING COMPRESSION DICTIONARY,
  commute BOOLEAN,
  trainer BOOLEAN,
  manual BOOLEAN,
  visibility VARCHAR USING COMPRESSION DICTIONARY,
  start_hidden BOOLEAN,
  flagged BOOLEAN,
  workout_type BIGINT,
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
  upload_id BIGINT,
  device_name VARCHAR USING COMPRESSION DICTIONARY,
  start_lat DOUBLE,
  start_lng DOUBLE,
  end_lat DOUBLE,
  end_lng DOUBLE,
  summary_polyline VARCHAR,
  has_track BOOLEAN,
  leg_index INTEGER,
  leg_count INTEGER,
  point_count INTEGER,
  first_ingested_at TIMESTAMPTZ,
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR USING COMPRESSION UNCOMPRESSED,
  is_stub BOOLEAN,
  gone_at TIMESTAMPTZ,
  offers VARCHAR[],
  gives VARCHAR[]
);
comment on table records is 'Every source''s record of an activity, newest version, those deleted upstream too; read activity_sources for those that count';
comment on column records.activity_id is 'The canonical activity this record belongs to; NULL: a stub of what no source here has';
comment on column records.record_id is 'Stable hash of athlete, source and source_id, 2^52 to 2^53';
comment on column records.founder_id is 'Of the records that are one activity, the one whose id it bears';
comment on column records.athlete is 'Whose';
comment on column records.source is 'files, strava, …';
comment on column records.source_id is 'files: SHA-256 of the unpacked file (#n: its n-th recording, /n: leg), or strava-export/<id>; strava: its id';
comment on column records.external_id is 'What the source calls the file it came from';
comment on column records.strava_id is 'Strava''s id where the record names one';
comment on column records.file_sha256 is 'SHA-256 of the unpacked original file';
comment on column records.file_linked_at is 'When a version of this record last named its file';
comment on column records.file_format is 'fit, gpx, tcx';
comment on column records.problems is 'What was damaged in the file and left out; empty: nothing';
comment on column records.parent_record_id is 'Record of the multisport whole, on its legs';
comment on column records.stream_key is 'Ties its rows in data/streams and data/tracks to it';
comment on column records.match_method is 'Why it belongs to this activity: own (it founded it), strava_id, external_id, file (they name one another, or the same file), export_filename (Strava''s archive names the file), time, track (alike), decision (the athlete''s); see docs/matching.md';
comment on column records.match_confidence is 'How sure that is, 0 to 1';
comment on column records.name is 'Title; the athlete''s own where a source has one';
comment on column records.description is 'The athlete''s own words';
comment on column records.sport_type is 'Strava''s vocabulary: Run, TrailRun, Ride, Swim, …; Transition and Multisport besides';
comment on column records.start_date is 'Start, UTC';
comment on column records.start_date_local is 'Start as the clock on the wall showed it';
comment on column records.timezone is 'IANA time zone of the start; NULL: unknown, local time is UTC or the file''s own offset';
comment on column records.utc_offset_s is 'Local time minus UTC, s';
comment on column records.distance is 'm';
comment on column records.moving_time is 's, without stops (docs/formulas.md)';
comment on column records.elapsed_time is 's, from start to end';
comment on column records.total_elevation_gain is 'm';
comment on column records.elev_high is 'Highest point, m';
comment on column records.elev_low is 'Lowest point, m';
comment on column records.average_speed is 'm/s over the moving time';
comment on column records.max_speed is 'm/s';
comment on column records.average_heartrate is 'Beats a minute';
comment on column records.max_heartrate is 'Beats a minute';
comment on column records.average_watts is 'W, weighted by time';
comment on column records.max_watts is 'W';
comment on column records.average_cadence is 'Revolutions a minute of one leg or crank';
comment on column records.average_temp is 'Degrees Celsius, as the device felt it';
comment on column records.calories is 'kcal';
comment on column records.gear_id is 'Gear used; see table gear';
comment on column records.commute is 'Marked as a commute';
comment on column records.trainer is 'Indoors: a trainer, a treadmill, a pool';
comment on column records.manual is 'Entered by hand, without a file';
comment on column records.visibility is 'everyone, followers_only, only_me (Strava)';
comment on column records.start_hidden is 'The source hides the true start time';
comment on column records.flagged is 'Flagged by others (Strava)';
comment on column records.workout_type is 'Strava''s number: 1 race, 2 long run, 3 workout, 11 race, 12 workout (rides)';
comment on column records.kudos_count is 'Kudos received (Strava)';
comment on column records.comment_count is 'Comments (Strava)';
comment on column records.athlete_count is 'How many went together, by Strava';
comment on column records.photo_count is 'Photos (Strava)';
comment on column records.achievement_count is 'Achievements (Strava)';
comment on column records.pr_count is 'Personal records on segments (Strava)';
comment on column records.suffer_score is 'Relative effort (Strava)';
comment on column records.weighted_average_watts is 'W, normalised (Strava)';
comment on column records.kilojoules is 'kJ of work';
comment on column records.device_watts is 'Power was measured, not estimated';
comment on column records.upload_id is 'Strava''s id of the upload';
comment on column records.device_name is 'What recorded it';
comment on column records.start_lat is 'Degrees, WGS 84';
comment on column records.start_lng is 'Degrees, WGS 84';
comment on column records.end_lat is 'Degrees, WGS 84';
comment on column records.end_lng is 'Degrees, WGS 84';
comment on column records.summary_polyline is 'Google''s encoded polyline, 5 decimals, simplified to about 20 m';
comment on column records.has_track is 'Geometry exists: view activity_tracks has a row (a multisport whole: its legs have)';
comment on column records.leg_index is '0: the whole; 1 and up: leg of a multisport outing';
comment on column records.leg_count is 'Legs that follow (a multisport whole), else 0; sums by sport take rows with 0';
comment on column records.point_count is 'Rows it has in activity_streams';
comment on column records.first_ingested_at is 'When any version of this record first landed';
comment on column records.ingested_at is 'When this version landed';
comment on column records.content_hash is 'SHA-256 of the record';
comment on column records.is_stub is 'Says only that another source has it; gives nothing';
comment on column records.gone_at is 'When it was found deleted or hidden upstream; NULL: it is there';
comment on column records.offers is 'What its own shard brings: streams, track, laps, splits_metric, …';
comment on column records.gives is 'What the activity takes from it, of all that is offered; see docs/warehouse.md';
