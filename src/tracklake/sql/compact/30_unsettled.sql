-- Which records are put into groups again: those that changed in what decides that, as they are now
-- and (ghosts) as they were.
create or replace temp table wanted as from rematched;
create or replace temp table present as from matching_inputs;

insert into unsettled
select record_id from (from present except from former);

create or replace temp table ghosts as
from former except from present;
