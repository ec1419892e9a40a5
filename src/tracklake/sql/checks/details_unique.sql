-- A detail, or word of streams, that is there twice.
select record_id, count(*) as copies from record_details group by all having count(*) > 1
union all
select record_id, count(*) from record_streams group by all having count(*) > 1
union all
select record_id, count(*) from record_tombstones group by all having count(*) > 1
