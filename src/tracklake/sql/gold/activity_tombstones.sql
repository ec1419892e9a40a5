-- What remains of records that were deleted or hidden upstream.
-- columns as in records
create or replace view activity_tombstones as
select activity_id, record_id, athlete, source, source_id, name, sport_type, start_date, gone_at
from records
where gone_at is not null;
comment on view activity_tombstones is 'What remains of records that were deleted or hidden upstream';
