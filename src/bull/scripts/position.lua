-- ARGV: now, id. Answer: nil; or letter, how many are handed out before it, 1 if that is exact.
--@include start
--@include place
--@include waiting
local id = ARGV[2]
local where = place_of_job(id)
if not where then return false end
if where ~= 'w' and where ~= 'p' then return {where, 0, 1} end
local before = before_in(line(), id, 10000)
if before then return {where, before, 1} end
return {where, call('LLEN', line()), 0}
