--@include job_lookup

-- The state of a job: 'c' completed, 'f' failed, 'd' delayed (and its score), 'a' active, 'p' waiting with a priority, 'w'
-- waiting; nil: no such job. Checked in Bull's order.
local function state_of_job(id)
  if not is_job(id) then return nil end
  if call('ZSCORE', B .. 'completed', id) then return 'c' end
  if call('ZSCORE', B .. 'failed', id) then return 'f' end
  local score = call('ZSCORE', B .. 'delayed', id)
  if score then return 'd', score end
  if before_in(B .. 'active', id, 10000) then return 'a' end
  if call('ZSCORE', B .. 'priority', id) then return 'p' end
  return 'w'
end
