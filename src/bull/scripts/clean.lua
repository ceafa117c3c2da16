-- ARGV: now, completed|failed, grace ms, how many at most, how many to skip. Oldest first; locked jobs are left. Reply: how
-- many were removed, how many were left. Left jobs are the oldest, so the next step skips them.
--@include start
--@include job_state
--@include removal
local set, cutoff = B .. ARGV[2], string.format('%.0f', now_ms - ARGV[3])
local most, skip = tonumber(ARGV[4]), tonumber(ARGV[5])
local ids = call('ZRANGEBYSCORE', set, '-inf', cutoff, 'LIMIT', skip, most)
local free, locked = {}, 0
for _, id in ipairs(ids) do
  if call('EXISTS', B .. id .. ':lock') == 1 then locked = locked + 1 else free[#free + 1] = id end
end
if #free > 0 then call('ZREM', set, unpack(free)) end
erase_jobs(free, true)
return {#free, locked}
