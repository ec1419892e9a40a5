-- Every source's record of each activity, newest version; activities is made from it.
-- columns as in records
create or replace view activity_sources as
select * exclude (gone_at, offers) from records
where gone_at is null;
comment on view activity_sources is 'Every source''s record of each activity, newest version; activities is made from it';
