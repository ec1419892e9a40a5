-- What a source says of one activity beyond its list, newest version.
create table if not exists record_details (
  record_id BIGINT,
  description VARCHAR USING COMPRESSION DICTIONARY,
  private_note VARCHAR USING COMPRESSION DICTIONARY,
  calories DOUBLE,
  perceived_exertion DOUBLE,
  device_name VARCHAR USING COMPRESSION DICTIONARY,
  gear_id VARCHAR USING COMPRESSION DICTIONARY,
  gear_name VARCHAR USING COMPRESSION DICTIONARY,
  kudos_count BIGINT,
  comment_count BIGINT,
  photo_count BIGINT,
  hide_from_home BOOLEAN,
  embed_token VARCHAR USING COMPRESSION DICTIONARY,
  polyline VARCHAR,
  available_zones VARCHAR[],
  all_efforts BOOLEAN,
  offers VARCHAR[],
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR USING COMPRESSION UNCOMPRESSED
);
comment on table record_details is 'What a source says of one activity beyond its list, newest version';
comment on column record_details.record_id is 'records.record_id';
comment on column record_details.description is 'The athlete''s own words';
comment on column record_details.private_note is 'The athlete''s own, for nobody else';
comment on column record_details.calories is 'kcal';
comment on column record_details.perceived_exertion is '1 to 10, as the athlete felt it';
comment on column record_details.device_name is 'What recorded it';
comment on column record_details.gear_id is 'Gear used; see table gear';
comment on column record_details.gear_name is 'Its name, as the athlete calls it';
comment on column record_details.kudos_count is 'Kudos received; the list''s count where that knows more';
comment on column record_details.comment_count is 'Comments';
comment on column record_details.photo_count is 'Photos';
comment on column record_details.hide_from_home is 'Hidden from the followers'' feed';
comment on column record_details.embed_token is 'For embedding it in a page';
comment on column record_details.polyline is 'Google''s encoded polyline, 5 decimals, as the source simplified it';
comment on column record_details.available_zones is 'Zones the source can tell: heartrate, pace, power';
comment on column record_details.all_efforts is 'Asked for with all segment efforts, also those that are no personal record';
comment on column record_details.offers is 'What it brings: laps, splits_metric, …';
comment on column record_details.ingested_at is 'When it landed';
comment on column record_details.content_hash is 'SHA-256 of what was received';
