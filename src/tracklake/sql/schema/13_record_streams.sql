-- Points that a source has of an activity, newest version; the points themselves are in data/streams.
create table if not exists record_streams (
  record_id BIGINT,
  outcome VARCHAR,
  stream_key BIGINT,
  point_count INTEGER,
  has_track BOOLEAN,
  channels VARCHAR[],
  file_sha256 VARCHAR,
  start_lat DOUBLE,
  start_lng DOUBLE,
  end_lat DOUBLE,
  end_lng DOUBLE,
  summary_polyline VARCHAR,
  offers VARCHAR[],
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR
);
comment on table record_streams is 'Points that a source has of an activity, newest version; the points themselves are in data/streams';
comment on column record_streams.record_id is 'records.record_id';
comment on column record_streams.outcome is 'done; none: the source has no points of it';
comment on column record_streams.stream_key is 'Ties its rows in data/streams and data/tracks to it';
comment on column record_streams.point_count is 'Points';
comment on column record_streams.has_track is 'There is geometry';
comment on column record_streams.channels is 'What the source sent: time, latlng, heartrate, …';
comment on column record_streams.file_sha256 is 'SHA-256 of the original file they were read from, unpacked; NULL: the service''s own points';
comment on column record_streams.start_lat is 'Degrees, WGS 84, by that file';
comment on column record_streams.start_lng is 'Degrees, WGS 84, by that file';
comment on column record_streams.end_lat is 'Degrees, WGS 84, by that file';
comment on column record_streams.end_lng is 'Degrees, WGS 84, by that file';
comment on column record_streams.summary_polyline is 'The line of that file, simplified, in Google''s encoding';
comment on column record_streams.offers is 'What it brings: streams, track, distance/computed, power/computed';
comment on column record_streams.ingested_at is 'When it landed';
comment on column record_streams.content_hash is 'SHA-256 of what was received';
