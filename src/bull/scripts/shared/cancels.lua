-- Who asked for the end of a running job: hash `cancels` beside the queue, id -> token \n who \n why. The token is
-- that of the run that is to end; a later run of the job is not meant. Written by cancel, which also publishes the id
-- on channel <own>cancel; told to its owner by every turn and renewal; dropped when the run ends.
--@include rare

local function drop_cancel(id)
  if cancels_there then call('HDEL', own .. 'cancels', id) end
end

-- id, text, id, text ...
local function all_cancels()
  if not cancels_there then return {} end
  return call('HGETALL', own .. 'cancels')
end
