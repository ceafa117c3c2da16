-- ARGV: now, id, priority, "1" for in front of its kind. Answer: 0, -1: no such job, else the letter of where it stands.
--@include start
--@include place
--@include waiting
local id, priority, front = ARGV[2], ARGV[3], ARGV[4] == '1'
local where = place_of_job(id)
if not where then return -1 end
if where ~= 'w' and where ~= 'p' and where ~= 'd' then return where end
call('HSET', B .. id, 'priority', priority)
if where == 'd' then return 0 end
call('LREM', B .. 'wait', 0, id)
call('LREM', B .. 'paused', 0, id)
call('ZREM', B .. 'priority', id)
if not front then
  put_behind(id, priority)
else
  put_in_front(id, priority)
end
return 0
