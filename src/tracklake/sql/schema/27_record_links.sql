-- Keys by which records name one another, or the file they came from.
create table if not exists record_links (
  record_id BIGINT,
  link VARCHAR
);
comment on table record_links is 'Keys by which records name one another, or the file they came from; records of one athlete that share one are one activity';
comment on column record_links.record_id is 'records.record_id';
comment on column record_links.link is 'strava:<id>, garmin:<id>, file:<start of its SHA-256>';
