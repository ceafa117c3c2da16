-- Adds the next iteration of a repeatable job. ARGV: now, token, repeat key, slot ms, id, name, data, options (without
-- delay and timestamp), priority, lifo 0|1, "1" if the schedule must exist. Reply: nil: it does not exist; or the letter of
-- the iteration's state, 1 if it existed already.
--@include start
--@include job_state
--@include enqueue
local token, key, slot, id = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if ARGV[11] == '1' and not call('ZSCORE', B .. 'repeat', key) then return false end
call('ZADD', B .. 'repeat', slot, key)
local counter = call('INCR', B .. 'id')
if call('EXISTS', B .. id) == 1 then
  call('PUBLISH', B .. 'duplicated@' .. token, id)
  return {state_of_job(id) or 'w', 1}
end
local delay = math.max(0, slot - now_ms)
local options = string.sub(ARGV[8], 1, -2) .. ',"delay":' .. string.format('%.0f', delay) .. ',"timestamp":' .. now .. '}'
call('HMSET', B .. id, 'name', ARGV[6], 'data', ARGV[7], 'opts', options, 'timestamp', now, 'delay',
  string.format('%.0f', delay), 'priority', ARGV[9])
if delay > 0 then
  call('ZADD', B .. 'delayed', string.format('%.0f', slot * 4096 + counter % 4096), id)
  call('PUBLISH', B .. 'delayed', slot)
  return {'d', 0}
end
if ARGV[10] == '1' and ARGV[9] == '0' then call('RPUSH', waiting_list(), id) else enqueue(id, ARGV[9]) end
call('PUBLISH', B .. 'waiting@' .. token, id)
return {ARGV[9] == '0' and 'w' or 'p', 0}
