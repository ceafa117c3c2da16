-- ARGV: now, id, ms from now. Reply: 0; -1: no such job; or the letter of the job's state.
--@include start
--@include job_state
local id = ARGV[2]
local where, score = state_of_job(id)
if not where then return -1 end
if where ~= 'd' then return where end
local due = now_ms + ARGV[3]
call('ZADD', B .. 'delayed', string.format('%.0f', due * 4096 + score % 4096), id)
call('HSET', B .. id, 'delay', ARGV[3])
call('PUBLISH', B .. 'delayed', string.format('%.0f', due))
return 0
