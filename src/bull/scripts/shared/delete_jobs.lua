--@include optional_keys
--@include set_aside

-- Deletes hash, logs and Gaur's own notes of these jobs, but not their entries in lists and sets. An id that is the name of
-- one of the queue's keys has no job.
local function delete_jobs(ids)
  local keys = {}
  for i = 1, #ids do
    if not is_reserved(ids[i]) then
      keys[#keys + 1] = B .. ids[i]
      keys[#keys + 1] = B .. ids[i] .. ':logs'
    end
  end
  if #keys == 0 then return end
  call('DEL', unpack(keys))
  if uncounted_there then call('HDEL', own .. 'uncounted_starts', unpack(ids)) end
end
