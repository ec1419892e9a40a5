-- Time in zones, as the source reports it, newest version of each record.
create table if not exists record_zones (
  record_id BIGINT,
  zones STRUCT(
    zone_type VARCHAR, zone_index INTEGER, zone_min DOUBLE, zone_max DOUBLE, time_s DOUBLE,
    sensor_based BOOLEAN, custom_zones BOOLEAN
  )[],
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR
);
comment on table record_zones is 'Time in zones, as the source reports it, newest version of each record; read activity_zones';
comment on column record_zones.record_id is 'records.record_id';
comment on column record_zones.zones is 'See activity_zones';
comment on column record_zones.ingested_at is 'When it landed';
comment on column record_zones.content_hash is 'SHA-256 of what was received';
