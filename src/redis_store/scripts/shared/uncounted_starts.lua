-- Gaur's hash `uncounted_starts`: id -> number of starts that no field of the job counts. Usually it does not exist.
--@include optional_keys
local function count_uncounted_start(id)
  call('HINCRBY', own .. 'uncounted_starts', id, 1)
  uncounted_there = true
end
