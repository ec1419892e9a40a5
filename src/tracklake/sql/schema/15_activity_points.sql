-- Where an activity's points and geometry are kept; which record they come from is chosen.
create table if not exists activity_points (
  activity_id BIGINT,
  stream_key BIGINT,
  track_key BIGINT
);
comment on table activity_points is 'Where an activity''s points and geometry are kept; the views activity_streams and activity_tracks read them';
comment on column activity_points.activity_id is 'activities.id';
comment on column activity_points.stream_key is 'Its rows in data/streams; made anew with each landing';
comment on column activity_points.track_key is 'Its row in data/tracks; made anew with each landing';
