-- A day that is there twice, or intervals of a record that are.
select athlete, source, date::varchar as what from wellness group by all having count(*) > 1
union all
select '', '', record_id::varchar from record_intervals group by all having count(*) > 1
