-- Every file that came in, whatever became of it.
create table if not exists original_files (
  sha256 VARCHAR,
  athlete VARCHAR,
  file_sha256 VARCHAR,
  size_bytes BIGINT,
  file_format VARCHAR,
  location VARCHAR,
  seen_as VARCHAR,
  outcome VARCHAR,
  message VARCHAR,
  decoder_version VARCHAR,
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR
);
comment on table original_files is 'Every file that came in, whatever became of it';
comment on column original_files.sha256 is 'Of the file as it came; its name in bronze';
comment on column original_files.athlete is 'Whose';
comment on column original_files.file_sha256 is 'Of its content, unpacked';
comment on column original_files.size_bytes is 'As it came';
comment on column original_files.file_format is 'fit, gpx, tcx, NULL: unreadable';
comment on column original_files.location is 'Below the data folder';
comment on column original_files.seen_as is 'Path it was first seen under, members of archives after !';
comment on column original_files.outcome is 'activity, not_activity, quarantined';
comment on column original_files.message is 'Why, where it is not a clean activity';
comment on column original_files.decoder_version is 'Version of the decoder that read it';
comment on column original_files.ingested_at is 'When it landed';
comment on column original_files.content_hash is 'SHA-256 of the record';
