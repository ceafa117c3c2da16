--@include optional_keys

-- Deletes hash, logs and Gaur's own notes of these jobs, but not their entries in lists and sets.
local function delete_jobs(ids)
  if #ids == 0 then return end
  local keys = {}
  for i = 1, #ids do
    keys[2 * i - 1] = B .. ids[i]
    keys[2 * i] = B .. ids[i] .. ':logs'
  end
  call('DEL', unpack(keys))
  if uncounted_there then call('HDEL', own .. 'uncounted_starts', unpack(ids)) end
end
