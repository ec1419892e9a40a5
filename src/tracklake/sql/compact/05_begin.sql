-- What this batch touches; the steps of each entity add to it.
create or replace temp table touched (record_id BIGINT, old_activity_id BIGINT);
create or replace temp table touched_files (athlete VARCHAR, file_sha256 VARCHAR);
