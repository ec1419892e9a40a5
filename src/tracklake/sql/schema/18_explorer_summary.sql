-- How much of the map an athlete has been to, in tiles of zoom level 14; made from explorer_tiles.
create table if not exists explorer_summary (
  athlete VARCHAR,
  tile_count BIGINT,
  square_side BIGINT,
  square_tile_x INTEGER,
  square_tile_y INTEGER,
  cluster_size BIGINT,
  cluster_tile_x INTEGER,
  cluster_tile_y INTEGER,
  tiles_hash UBIGINT
);
comment on table explorer_summary is 'How much of the map an athlete has been to, in tiles of zoom level 14';
comment on column explorer_summary.athlete is 'Whose';
comment on column explorer_summary.tile_count is 'Tiles visited';
comment on column explorer_summary.square_side is 'Tiles along a side of the largest square of visited tiles';
comment on column explorer_summary.square_tile_x is 'Column of its north-western tile; of several the westernmost, then the northernmost';
comment on column explorer_summary.square_tile_y is 'Row of its north-western tile';
comment on column explorer_summary.cluster_size is 'Tiles of the largest cluster: joined by their sides, each with all four neighbours visited';
comment on column explorer_summary.cluster_tile_x is 'Column of its westernmost tile, of those the northernmost';
comment on column explorer_summary.cluster_tile_y is 'Row of that tile';
comment on column explorer_summary.tiles_hash is 'Changes when the set of tiles does';
