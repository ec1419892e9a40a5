-- Every source's record of an activity, newest version; activities is made from it.
create table if not exists activity_sources (
  activity_id BIGINT,
  record_id BIGINT,
  athlete VARCHAR,
  source VARCHAR,
  source_id VARCHAR,
  external_id VARCHAR,
  strava_id BIGINT,
  file_sha256 VARCHAR,
  file_linked_at TIMESTAMPTZ,
  file_format VARCHAR,
  problems VARCHAR[],
  parent_record_id BIGINT,
  stream_key BIGINT,
  match_method VARCHAR,
  match_confidence DOUBLE,
  name VARCHAR,
  description VARCHAR,
  sport_type VARCHAR,
  start_date TIMESTAMPTZ,
  start_date_local TIMESTAMP,
  timezone VARCHAR,
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
  gear_id VARCHAR,
  commute BOOLEAN,
  trainer BOOLEAN,
  manual BOOLEAN,
  device_name VARCHAR,
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
  content_hash VARCHAR
);
comment on table activity_sources is 'Every source''s record of an activity, newest version; activities is made from it';
comment on column activity_sources.activity_id is 'The canonical activity this record belongs to';
comment on column activity_sources.record_id is 'Stable hash of athlete, source and source_id, 2^52 to 2^53';
comment on column activity_sources.athlete is 'Whose';
comment on column activity_sources.source is 'files, strava, …';
comment on column activity_sources.source_id is 'files: SHA-256 of the unpacked file (#n: its n-th recording, /n: leg), or strava-export/<id>';
comment on column activity_sources.external_id is 'What the source calls the file it came from';
comment on column activity_sources.strava_id is 'Strava''s id where the record names one';
comment on column activity_sources.file_sha256 is 'SHA-256 of the unpacked original file';
comment on column activity_sources.file_linked_at is 'When a version of this record last named its file';
comment on column activity_sources.file_format is 'fit, gpx, tcx';
comment on column activity_sources.problems is 'What was damaged in the file and left out; empty: nothing';
comment on column activity_sources.parent_record_id is 'Record of the multisport whole, on its legs';
comment on column activity_sources.stream_key is 'Ties its rows in data/streams and data/tracks to it';
comment on column activity_sources.match_method is 'Why it belongs to this activity: own (it founded it), export_filename';
comment on column activity_sources.match_confidence is '0 to 1';
comment on column activity_sources.name is 'Title; the athlete''s own where a source has one';
comment on column activity_sources.description is 'The athlete''s own words';
comment on column activity_sources.sport_type is 'Strava''s vocabulary: Run, TrailRun, Ride, Swim, …; Transition and Multisport besides';
comment on column activity_sources.start_date is 'Start, UTC';
comment on column activity_sources.start_date_local is 'Start as the clock on the wall showed it';
comment on column activity_sources.timezone is 'IANA time zone of the start; NULL: unknown, local time is UTC or the file''s own offset';
comment on column activity_sources.utc_offset_s is 'Local time minus UTC, s';
comment on column activity_sources.distance is 'm';
comment on column activity_sources.moving_time is 's, without stops (docs/formulas.md)';
comment on column activity_sources.elapsed_time is 's, from start to end';
comment on column activity_sources.total_elevation_gain is 'm';
comment on column activity_sources.elev_high is 'Highest point, m';
comment on column activity_sources.elev_low is 'Lowest point, m';
comment on column activity_sources.average_speed is 'm/s over the moving time';
comment on column activity_sources.max_speed is 'm/s';
comment on column activity_sources.average_heartrate is 'Beats a minute';
comment on column activity_sources.max_heartrate is 'Beats a minute';
comment on column activity_sources.average_watts is 'W, weighted by time';
comment on column activity_sources.max_watts is 'W';
comment on column activity_sources.average_cadence is 'Revolutions a minute of one leg or crank';
comment on column activity_sources.average_temp is 'Degrees Celsius, as the device felt it';
comment on column activity_sources.calories is 'kcal';
comment on column activity_sources.gear_id is 'Gear used; see table gear';
comment on column activity_sources.commute is 'Marked as a commute';
comment on column activity_sources.trainer is 'Indoors: a trainer, a treadmill, a pool';
comment on column activity_sources.manual is 'Entered by hand, without a file';
comment on column activity_sources.device_name is 'What recorded it';
comment on column activity_sources.start_lat is 'Degrees, WGS 84';
comment on column activity_sources.start_lng is 'Degrees, WGS 84';
comment on column activity_sources.end_lat is 'Degrees, WGS 84';
comment on column activity_sources.end_lng is 'Degrees, WGS 84';
comment on column activity_sources.summary_polyline is 'Google''s encoded polyline, 5 decimals, simplified to about 20 m';
comment on column activity_sources.has_track is 'Geometry exists: view activity_tracks has a row (a multisport whole: its legs have)';
comment on column activity_sources.leg_index is '0: the whole; 1 and up: leg of a multisport outing';
comment on column activity_sources.leg_count is 'Legs that follow (a multisport whole), else 0; sums by sport take rows with 0';
comment on column activity_sources.point_count is 'Rows it has in activity_streams';
comment on column activity_sources.first_ingested_at is 'When any version of this record first landed';
comment on column activity_sources.ingested_at is 'When this version landed';
comment on column activity_sources.content_hash is 'SHA-256 of the record';
