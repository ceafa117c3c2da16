-- Checks with one command for keys that usually do not exist: Gaur's `uncounted_starts` and `cancels`, the set `stalled`,
-- and the mark of a paused queue.
local uncounted_there, cancels_there, stalled_there, paused = false, false, false, false
if call('EXISTS', own .. 'uncounted_starts', own .. 'cancels', B .. 'stalled', B .. 'meta-paused') > 0 then
  uncounted_there = call('EXISTS', own .. 'uncounted_starts') == 1
  cancels_there = call('EXISTS', own .. 'cancels') == 1
  stalled_there = call('EXISTS', B .. 'stalled') == 1
  paused = call('EXISTS', B .. 'meta-paused') == 1
end
