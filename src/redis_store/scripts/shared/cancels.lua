-- Requested cancellations of active jobs: Gaur's hash `cancels`, id -> token \n who \n why. The token is that of the run
-- to be cancelled; a later run of the job is not affected. Script cancel writes the field and publishes the id on channel
-- <own>cancel. Every take request and renewal reports the hash; the field is deleted when the run ends.
--@include optional_keys

local function drop_cancel(id)
  if cancels_there then call('HDEL', own .. 'cancels', id) end
end

-- id, text, id, text ...
local function all_cancels()
  if not cancels_there then return {} end
  return call('HGETALL', own .. 'cancels')
end
