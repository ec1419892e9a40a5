-- Small enough to be made anew each time.
delete from athletes;
insert into athletes
select athlete, count(*) filter (where parent_id is null), min(start_date), max(start_date)
from activities
group by athlete;
