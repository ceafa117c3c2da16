-- ARGV: now, token, id. Answer: 0, -1: no such job, else the letter of where it stands.
--@include start
--@include place
--@include waiting
local token, id = ARGV[2], ARGV[3]
local where = place_of_job(id)
if not where then return -1 end
if where ~= 'd' then return where end
call('ZREM', B .. 'delayed', id)
put_behind(id, call('HGET', B .. id, 'priority'))
call('PUBLISH', B .. 'waiting@' .. token, id)
call('HSET', B .. id, 'delay', 0)
return 0
