-- The records that stand: fastest by distance, longest, most climb, highest, biggest week and month.
-- columns as in personal_record_history
create or replace view personal_records as
select * exclude (beaten_day, is_current)
from personal_record_history
where is_current;
comment on view personal_records is 'The records that stand: fastest by distance, longest, most climb, highest, biggest week and month';
comment on column personal_records.previous_value is 'The record it beat, in s or m by unit; NULL: it is the first';
