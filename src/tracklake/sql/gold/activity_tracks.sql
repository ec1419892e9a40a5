-- Geometry of each activity that has one, simplified to 2 m, split at gaps, read from data/tracks.
create or replace view activity_tracks as
select a.activity_id, t.track_hash, t.wkb
from read_parquet($track_files, hive_partitioning = false) as t
inner join activity_points as a on a.track_key = t.stream_key;
comment on view activity_tracks is 'Geometry, simplified to 2 m; files in data/tracks';
comment on column activity_tracks.activity_id is 'activities.id';
comment on column activity_tracks.track_hash is 'Changes when the geometry does';
comment on column activity_tracks.wkb is 'MultiLineString in WKB, longitude before latitude';
