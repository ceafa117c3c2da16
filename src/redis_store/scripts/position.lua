-- ARGV: now, id. Reply: nil; or the letter of its state, how many jobs are handed out before it, 1 if that is exact.
--@include start
--@include job_state
--@include enqueue
local id = ARGV[2]
local where = state_of_job(id)
if not where then return false end
if where ~= 'w' and where ~= 'p' then return {where, 0, 1} end
local before = before_in(waiting_list(), id, 10000)
if before then return {where, before, 1} end
return {where, call('LLEN', waiting_list()), 0}
