-- Reply: waiting, prioritized, delayed, active, completed, failed, 1 if paused.
--@include start
local waiting = call('LLEN', B .. 'wait') + call('LLEN', B .. 'paused')
local prioritized = call('ZCARD', B .. 'priority')
if prioritized > 0 then
  -- A prioritized job that the rate limiter delayed keeps its member of `priority`.
  for i, id in ipairs(call('HKEYS', B .. 'limiter:index')) do
    if i > 1000 then break end
    if call('ZSCORE', B .. 'priority', id) and call('ZSCORE', B .. 'delayed', id) then prioritized = prioritized - 1 end
  end
end
prioritized = math.max(0, math.min(prioritized, waiting))
return {waiting - prioritized, prioritized, call('ZCARD', B .. 'delayed'), call('LLEN', B .. 'active'),
  call('ZCARD', B .. 'completed'), call('ZCARD', B .. 'failed'), call('EXISTS', B .. 'meta-paused')}
