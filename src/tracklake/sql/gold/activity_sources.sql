-- Every source's record of each activity, newest version; activities is made from it.
-- columns as in records
create or replace view activity_sources as
select * exclude (founder_id, gone_at, offers) from records
where gone_at is null
  -- A stub whose activity is gone, or was never here, speaks of nothing.
  and (not is_stub or activity_id in (select id from activities));
comment on view activity_sources is 'Every source''s record of each activity, newest version; activities is made from it';
