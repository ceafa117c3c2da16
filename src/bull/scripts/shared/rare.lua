-- Keys that are usually not there, asked for with one command: Gaur's own `backs` and `cancels`, the set `stalled`, and
-- the mark of a paused queue.
local backs_there, cancels_there, stalled_there, paused = false, false, false, false
if call('EXISTS', own .. 'backs', own .. 'cancels', B .. 'stalled', B .. 'meta-paused') > 0 then
  backs_there = call('EXISTS', own .. 'backs') == 1
  cancels_there = call('EXISTS', own .. 'cancels') == 1
  stalled_there = call('EXISTS', B .. 'stalled') == 1
  paused = call('EXISTS', B .. 'meta-paused') == 1
end
