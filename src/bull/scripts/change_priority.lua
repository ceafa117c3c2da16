-- ARGV: now, id, priority, "1" for in front of its priority. Reply: 0; -1: no such job; or the letter of the job's state.
--@include start
--@include job_state
--@include enqueue
local id, priority, front = ARGV[2], ARGV[3], ARGV[4] == '1'
local where = state_of_job(id)
if not where then return -1 end
if where ~= 'w' and where ~= 'p' and where ~= 'd' then return where end
call('HSET', B .. id, 'priority', priority)
if where == 'd' then return 0 end
call('LREM', B .. 'wait', 0, id)
call('LREM', B .. 'paused', 0, id)
call('ZREM', B .. 'priority', id)
if not front then
  enqueue(id, priority)
else
  enqueue_next(id, priority)
end
return 0
