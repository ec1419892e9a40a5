-- Intervals, as the service or the athlete marked them, newest version of each record.
create table if not exists record_intervals (
  record_id BIGINT,
  intervals STRUCT(
    interval_index INTEGER,
    kind VARCHAR,
    label VARCHAR,
    group_id VARCHAR,
    start_offset_s DOUBLE,
    end_offset_s DOUBLE,
    elapsed_time DOUBLE,
    moving_time DOUBLE,
    distance DOUBLE,
    average_speed DOUBLE,
    max_speed DOUBLE,
    average_heartrate DOUBLE,
    max_heartrate DOUBLE,
    average_cadence DOUBLE,
    average_watts DOUBLE,
    max_watts DOUBLE,
    weighted_average_watts DOUBLE,
    total_elevation_gain DOUBLE,
    intensity_percent DOUBLE,
    decoupling_percent DOUBLE,
    training_load DOUBLE,
    zone_index INTEGER,
    start_index INTEGER,
    end_index INTEGER
  )[],
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR
);
comment on table record_intervals is 'Intervals as each record has them, newest version; read activity_intervals';
comment on column record_intervals.record_id is 'records.record_id';
comment on column record_intervals.intervals is 'See activity_intervals';
comment on column record_intervals.ingested_at is 'When it landed';
comment on column record_intervals.content_hash is 'SHA-256 of what was received';
