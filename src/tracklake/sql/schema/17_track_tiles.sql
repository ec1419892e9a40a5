-- Map tiles of zoom level 14 that each track touches; analysis/explorer.py, version 1.
create table if not exists track_tiles (
  track_key BIGINT,
  tile_x INTEGER,
  tile_y INTEGER
);
comment on table track_tiles is 'Map tiles of zoom level 14 that each track touches; read explorer_tiles';
comment on column track_tiles.track_key is 'activity_points.track_key';
comment on column track_tiles.tile_x is 'Column, from 0 at 180° west, of 16,384';
comment on column track_tiles.tile_y is 'Row, from 0 at 85.05° north, of 16,384';
