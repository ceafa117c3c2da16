-- ARGV: now, token, id. Reply: 0; -1: no such job; or the letter of the job's state.
--@include start
--@include job_state
--@include enqueue
local token, id = ARGV[2], ARGV[3]
local where = state_of_job(id)
if not where then return -1 end
if where ~= 'd' then return where end
call('ZREM', B .. 'delayed', id)
enqueue(id, call('HGET', B .. id, 'priority'))
call('PUBLISH', B .. 'waiting@' .. token, id)
call('HSET', B .. id, 'delay', 0)
return 0
