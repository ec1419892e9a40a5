alter table sessions add column attempt integer not null default 1;
alter table sessions add column taken_up_by text;
alter table sessions add column calls integer not null default 0;
alter table sessions add column error_class text;
alter table sessions add column waiting_until text;
alter table sessions add column expected_at text;
alter table sessions add column boot_id text;
alter table sessions add column seen_at text;
update sessions set state = 'retrying' where state in ('interrupted', 'running');
alter table phases add column calls integer not null default 0;
alter table phases add column expected_at text;
alter table phases add column span_id text;
alter table quarantine add column error_class text;
alter table quarantine add column code_version text;
alter table quarantine add column session_id text;
alter table quarantine add column subject text;
-- What lies in bronze is read once more by the new code.
update quarantine set code_version = 'before 5' where location is not null;
update quarantine set subject = substr(item, length('file of ' || source || ' ') + 1)
where item glob 'file of ' || source || ' *';
create table if not exists uploads (
  athlete text not null, file_sha256 text not null, state text not null, external_id text not null,
  source text not null, source_id text not null, start_s real not null, elapsed_s real not null,
  posts integer not null default 0, posted_s real, upload_id text, activity_id text, message text,
  changed_at text not null,
  primary key (athlete, file_sha256)
);
alter table uploads add column session_id text;
