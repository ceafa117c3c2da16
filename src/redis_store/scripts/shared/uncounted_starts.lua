-- Gaur's hash `uncounted_starts`: id -> how many starts of the job no other field counts. Usually it does not exist.
--@include optional_keys
local function count_uncounted_start(id)
  call('HINCRBY', own .. 'uncounted_starts', id, 1)
  uncounted_there = true
end
