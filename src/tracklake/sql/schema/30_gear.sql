-- Bikes and shoes.
create table if not exists gear (
  gear_id VARCHAR,
  athlete VARCHAR,
  name VARCHAR,
  kind VARCHAR,
  brand VARCHAR,
  model VARCHAR,
  nickname VARCHAR,
  distance_m DOUBLE,
  is_retired BOOLEAN,
  is_primary BOOLEAN,
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR
);
comment on table gear is 'Bikes and shoes';
comment on column gear.gear_id is 'Strava''s id, or x and a hash of the name';
comment on column gear.athlete is 'Whose';
comment on column gear.name is 'As the athlete calls it';
comment on column gear.kind is 'bike, shoes';
comment on column gear.brand is 'Maker';
comment on column gear.model is 'Model';
comment on column gear.nickname is 'A second name (Strava)';
comment on column gear.distance_m is 'm in all, as Strava counted when it was asked';
comment on column gear.is_retired is 'Put away';
comment on column gear.is_primary is 'The athlete''s default';
comment on column gear.ingested_at is 'When it landed';
comment on column gear.content_hash is 'SHA-256 of the record';
