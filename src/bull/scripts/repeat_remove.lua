-- ARGV: now, then repeat key, hash of its iterations' ids ... Removes the schedules and their delayed iterations.
-- Reply: how many schedules were removed.
--@include start
--@include job_state
--@include removal
local removed = 0
for i = 2, #ARGV, 2 do
  local slot = call('ZSCORE', B .. 'repeat', ARGV[i])
  if slot then
    local id = 'repeat:' .. ARGV[i + 1] .. ':' .. slot
    if call('ZREM', B .. 'delayed', id) == 1 then erase_jobs({id}) end
    call('ZREM', B .. 'repeat', ARGV[i])
    removed = removed + 1
  end
end
return removed
